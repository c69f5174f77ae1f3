package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/telemetry"
)

// loginPlace is a server that wants a login, an authorization server, and a
// configuration that names them.
type loginPlace struct {
	config string
	server config.Server
	page   string // the endpoint that the authorization server names
}

func newLoginPlace(t *testing.T) *loginPlace {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"HOME", "XDG_STATE_HOME", "LocalAppData"} {
		t.Setenv(name, dir)
	}
	p := &loginPlace{}
	var s *httptest.Server
	say := func(w http.ResponseWriter, v map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer canary-token" {
			w.Header().Set("WWW-Authenticate", `Bearer scope="read write"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("/.well-known/oauth-protected-resource/mcp", func(w http.ResponseWriter, r *http.Request) {
		say(w, map[string]any{"resource": s.URL + "/mcp", "authorization_servers": []string{s.URL}})
	})
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(w http.ResponseWriter, r *http.Request) {
		page := p.page
		if page == "" {
			page = s.URL + "/authorize"
		}
		say(w, map[string]any{
			"issuer": s.URL, "authorization_endpoint": page, "token_endpoint": s.URL + "/token",
			"registration_endpoint": s.URL + "/register", "code_challenge_methods_supported": []string{"S256"},
		})
	})
	mux.HandleFunc("/register", func(w http.ResponseWriter, r *http.Request) { say(w, map[string]any{"client_id": "c"}) })
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?code=canary-code&state="+q.Get("state"), http.StatusFound)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		say(w, map[string]any{"access_token": "canary-token", "token_type": "Bearer", "expires_in": 60})
	})
	s = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	p.server = config.Server{Name: "far", Type: config.TypeHTTP, URL: s.URL + "/mcp"}
	p.config = filepath.Join(dir, "relay.json")
	text, err := json.Marshal(map[string]any{"mcpServers": map[string]any{
		"far":  map[string]any{"type": "http", "url": p.server.URL, "oauth": map[string]any{"token_store": "file"}},
		"near": map[string]any{"command": "near"}, "off": map[string]any{"command": "off", "disabled": true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// command runs the program and calls each with every line of standard output.
func (p *loginPlace) command(t *testing.T, each func(line string), args ...string) (code int, said string) {
	t.Helper()
	out, in := io.Pipe()
	var talk bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			each(lines.Text())
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	code = run(ctx, append(args, "--config", p.config), streams{in: strings.NewReader(""), out: in, err: &talk})
	_ = in.Close()
	<-read
	if strings.Contains(talk.String(), "canary") {
		t.Errorf("a secret was said: %s", talk.String())
	}
	return code, talk.String()
}

func TestLoginAndLogout(t *testing.T) {
	p := newLoginPlace(t)
	pages := 0
	open := func(address string) {
		pages++
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		resp.Body.Close()
	}
	log, err := telemetry.NewLogger(io.Discard, telemetry.Text, "error")
	if err != nil {
		t.Fatal(err)
	}
	authorization := func() string {
		a := (&assembly{log: log}).authorizer(&p.server)
		if a == nil {
			t.Fatal("no authorizer")
		}
		got, err := a.Authorization(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := authorization(); got != "" {
		t.Errorf("before the login: %q", got)
	}
	code, said := p.command(t, open, "login", "far", "--no-browser")
	if code != exitOK || pages != 1 {
		t.Fatalf("exit code %d, %d pages: %s", code, pages, said)
	}
	if host := strings.TrimPrefix(strings.TrimSuffix(p.server.URL, "/mcp"), "http://"); !strings.Contains(said, host) ||
		!strings.Contains(said, "read write") || !strings.Contains(said, "only you can read") {
		t.Errorf("said: %s", said)
	}
	if got := authorization(); got != "Bearer canary-token" {
		t.Errorf("after the login: %q", got)
	}
	if code, said := p.command(t, open, "logout", "far"); code != exitOK {
		t.Fatalf("exit code %d: %s", code, said)
	}
	if got := authorization(); got != "" {
		t.Errorf("after the logout: %q", got)
	}
	for _, args := range [][]string{{"login", "near"}, {"login", "off"}, {"login", "fa"}, {"logout", "near"}} {
		if code, said := p.command(t, open, args...); code != exitInvalid {
			t.Errorf("%v: exit code %d: %s", args, code, said)
		}
	}
	if code, said := p.command(t, open, "login", "far", "--no-browser", "--browser", "x"); code == exitOK || pages != 1 {
		t.Errorf("both flags: exit code %d: %s", code, said)
	}
}

// The program that the user names gets the page as its one argument; it is not
// started for what is no page.
func TestLoginStartsOneProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	for name, tt := range map[string]struct {
		page  string
		opens bool
	}{
		"a page":            {"", true},
		"a command":         {"a:$(calc)", false},
		"a file":            {"file:///etc/passwd", false},
		"a flag":            {"--remote-debugging-port=1", false},
		"a quote":           {"https://auth.example.com/\"", false},
		"two lines":         {"https://auth.example.com/\r\nx", false},
		"the cloud's":       {"http://169.254.169.254/", false},
		"a page of another": {"https://auth.example.com/authorize", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newLoginPlace(t)
			p.page = tt.page
			dir := t.TempDir()
			program, seen := filepath.Join(dir, "browser"), filepath.Join(dir, "seen")
			script := "#!/bin/sh\nprintf '%s %s' $# \"$1\" > '" + seen + ".new' && mv '" + seen + ".new' '" + seen + "'\n"
			if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			code, said := p.command(t, func(string) {}, "login", "far", "--browser", program, "--timeout", "200ms")
			if code != exitFailed {
				t.Errorf("exit code %d: %s", code, said)
			}
			got, err := os.ReadFile(seen)
			for end := time.Now().Add(10 * time.Second); tt.opens && errors.Is(err, os.ErrNotExist) && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond)
				got, err = os.ReadFile(seen)
			}
			if (err == nil) != tt.opens {
				t.Errorf("started: %s, %v: %s", got, err, said)
			}
			if tt.opens && !strings.HasPrefix(string(got), "1 http://127.0.0.1:") {
				t.Errorf("started with %s", got)
			}
		})
	}
}

func TestBrowserCommand(t *testing.T) {
	for _, tt := range []struct {
		system, program string
		want            []string
	}{
		{"linux", "", []string{"xdg-open", "https://x"}},
		{"darwin", "", []string{"/usr/bin/open", "https://x"}},
		{"windows", "", []string{"rundll32", "url.dll,FileProtocolHandler", "https://x"}},
		{"windows", `C:\b.exe`, []string{`C:\b.exe`, "https://x"}},
	} {
		if got := browserCommand(tt.system, tt.program, "https://x"); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %q", tt.system, got)
		}
	}
	if err := openBrowser(t.Context(), filepath.Join(t.TempDir(), "none"), "https://x"); err == nil {
		t.Error("a program that is not there was started")
	}
}

// Who is authorized, and what lets nothing pass.
func TestAuthorizer(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("LocalAppData", t.TempDir())
	log, err := telemetry.NewLogger(io.Discard, telemetry.Text, "error")
	if err != nil {
		t.Fatal(err)
	}
	const far = "https://mcp.example.com/mcp"
	for name, tt := range map[string]struct {
		server config.Server
		some   bool
		fails  bool
	}{
		"a program":               {config.Server{Type: config.TypeStdio, Command: "x"}, false, false},
		"a server":                {config.Server{Type: config.TypeHTTP, URL: far}, true, false},
		"the old transport":       {config.Server{Type: config.TypeSSE, URL: far}, true, false},
		"a token of its own":      {config.Server{Type: config.TypeHTTP, URL: far, Headers: map[string]string{"Authorization": "x"}}, false, false},
		"switched off":            {config.Server{Type: config.TypeHTTP, URL: far, OAuth: &config.OAuth{Disabled: true}}, false, false},
		"plain http":              {config.Server{Type: config.TypeHTTP, URL: "http://mcp.example.com"}, false, false},
		"plain http, asked for":   {config.Server{Type: config.TypeHTTP, URL: "http://mcp.example.com", OAuth: &config.OAuth{}}, true, true},
		"a secret without issuer": {config.Server{Type: config.TypeHTTP, URL: far, OAuth: &config.OAuth{ClientID: "x", ClientSecret: "y"}}, true, true},
	} {
		a := (&assembly{log: log}).authorizer(&tt.server)
		if (a != nil) != tt.some {
			t.Errorf("%s: %v", name, a)
		}
		if a == nil {
			continue
		}
		if _, err := a.Authorization(t.Context()); (err != nil) != tt.fails {
			t.Errorf("%s: %v", name, err)
		}
	}
}
