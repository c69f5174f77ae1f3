package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// issuer is an authorization server that counts the tokens that it gave.
type issuer struct {
	*httptest.Server
	resource string // of the MCP server

	mu      sync.Mutex
	issued  int
	accepts int // the number of the token that the MCP server takes
}

func (i *issuer) start(t *testing.T) {
	t.Helper()
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
}

func (i *issuer) token(n int) string { return fmt.Sprintf("access-canary-%d", n) }

// admit answers requests to the MCP server without the newest token.
func (i *issuer) admit(w http.ResponseWriter, r *http.Request) bool {
	i.mu.Lock()
	want := i.token(i.accepts)
	i.mu.Unlock()
	if r.URL.Path == "/.well-known/oauth-protected-resource/mcp" {
		say(w, object("resource", i.resource, "authorization_servers", []string{i.URL}))
		return false
	}
	if r.Header.Get("Authorization") == "Bearer "+want {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Bearer resource_metadata="`+strings.TrimSuffix(i.resource, "/mcp")+`/.well-known/oauth-protected-resource/mcp", scope="read"`)
	w.WriteHeader(http.StatusUnauthorized)
	return false
}

func say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/.well-known/oauth-authorization-server":
		say(w, object(
			"issuer", i.URL, "authorization_endpoint", i.URL+"/authorize", "token_endpoint", i.URL+"/token", "registration_endpoint", i.URL+"/register",
			"code_challenge_methods_supported", []string{"S256"}, "token_endpoint_auth_methods_supported", []string{"none"},
			"response_types_supported", []string{"code"}, "authorization_response_iss_parameter_supported", true,
		))
	case "/register":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(object("client_id", "relay-client"))
	case "/authorize":
		q := r.URL.Query()
		back := url.Values{"code": {"code-canary"}, "state": {q.Get("state")}, "iss": {i.URL}}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	case "/token":
		i.mu.Lock()
		i.issued++
		i.accepts = i.issued
		n := i.issued
		i.mu.Unlock()
		say(w, object("access_token", i.token(n), "token_type", "Bearer", "expires_in", 3600, "refresh_token", fmt.Sprintf("refresh-canary-%d", n)))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestLogin: a person logs in at a server elsewhere while the relay runs, which
// then uses the login and renews it. Nothing of that stands where it can be read.
func TestLogin(t *testing.T) {
	i := &issuer{accepts: -1}
	i.start(t)
	remote := startRemote(t, true, i.admit)
	i.resource = remote.URL + "/mcp"
	config := object("mcpServers", object("one", object("type", "http", "url", i.resource, "oauth", object("token_store", "file"))),
		"relay", object("start_timeout", "1s", "scanners", noopOnly()["scanners"]))
	w := startWeb(t, []string{"--log-level", "debug"}, config)
	c := w.mustClient(true, w.token)
	if got := c.text("one__echo"); !strings.Contains(got, "error") {
		t.Errorf("before the login: %s", got)
	}
	if !strings.Contains(w.stderr.String(), "relay login one") {
		t.Errorf("nobody says what to do:\n%s", w.stderr)
	}
	page := w.login(t)
	await(t, "a call after the login", func() bool { return c.text("one__echo") == "echo" })
	// The server takes the token no more: it is renewed behind the scenes.
	i.mu.Lock()
	i.accepts = -1
	i.mu.Unlock()
	await(t, "a call after the token was taken back", func() bool { return c.text("one__echo") == "echo" })
	if all, _ := remote.heard(); strings.Contains(all, "refresh-canary") || !strings.Contains(all, i.token(2)) {
		t.Errorf("the server got %s", all)
	}
	if strings.Contains(page, "canary") {
		t.Errorf("the page is %s", page)
	}
	w.secret(t, w.token, "access-canary", "refresh-canary", "code-canary")
	kept := 0
	err := filepath.WalkDir(w.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(contents(path), "refresh-canary") {
			return err
		}
		kept++
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil || kept != 1 {
		t.Errorf("the login is kept in %d files: %v", kept, err)
	}
}

// login logs in at the server one and returns the page that was to be opened.
func (w *web) login(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(w.cmd.Path, "login", "one", "--no-browser", "--config", filepath.Join(w.home, "relay.json"))
	cmd.Args[0] = "relay"
	cmd.Env = w.cmd.Env
	talk := &buffer{}
	cmd.Stderr = talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	page, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v\n%s", err, talk)
	}
	resp, err := http.Get(strings.TrimSpace(page))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%+v %v\n%s", resp, err, talk)
	}
	_ = resp.Body.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, talk)
	}
	if strings.Contains(talk.String(), "canary") {
		t.Errorf("said: %s", talk)
	}
	return page
}

// TestNoBrowser: a server that asks for a login, or points to a page, opens
// nothing on the user's screen.
func TestNoBrowser(t *testing.T) {
	dir := t.TempDir()
	opened := dir + "/opened"
	for _, name := range []string{"xdg-open", "open", "x-www-browser", "sensible-browser"} {
		text := "#!/bin/sh\necho \"$@\" >> " + opened + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	i := &issuer{accepts: -1}
	i.start(t)
	remote := startRemote(t, false, i.admit)
	i.resource = remote.URL + "/mcp"
	w := startWeb(t, nil, object("mcpServers", object("one", object("type", "http", "url", i.resource), "two", hostileProgram("legacy")),
		"relay", object("start_timeout", "1s", "scanners", noopOnly()["scanners"])), "PATH="+dir, "DISPLAY=:0", "BROWSER="+dir+"/open")
	c := w.mustClient(true, w.token)
	for range 3 {
		if got := c.text("one__echo"); strings.Contains(got, "echo") && !strings.Contains(got, "error") {
			t.Errorf("without a login: %s", got)
		}
	}
	if got := c.text("two__echo"); got != "echo" {
		t.Errorf("the neighbour: %s", got)
	}
	if exists(opened) {
		t.Errorf("opened: %s", contents(opened))
	}
}
