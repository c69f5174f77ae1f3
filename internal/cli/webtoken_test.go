package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// one is a configuration with one server, whatever else the section relay has.
func one(relay ...any) map[string]any {
	return object("mcpServers", object("one", hostileProgram("legacy")), "relay", object(append(relay, "scanners", noopOnly()["scanners"])...))
}

// run runs another command of the relay, with the state of this one.
func (p *program) run(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command(p.cmd.Path, args...)
	cmd.Args[0] = "relay"
	cmd.Env = p.cmd.Env
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil {
		t.Errorf("relay %s: %v\n%s", args, err, talk.String())
	}
	return out.String(), talk.String()
}

// listTools is a modern request that needs no session.
const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + modernMeta + `}}`

// knock asks for the list of tools and returns the status.
func (w *web) knock(headers ...string) int {
	w.t.Helper()
	return w.do("POST", "/mcp", listTools, append(modernHeaders("tools/list", ""), headers...)...).status
}

// TestFirstToken: the relay makes one, keeps it from others, and shows it in
// what goes into a client's configuration.
func TestFirstToken(t *testing.T) {
	w := startWeb(t, nil, one())
	path := filepath.Join(w.home, "mcp-relay", "token")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the token's file: %v %v", info, err)
	}
	if got := w.knock(); got != 200 {
		t.Errorf("with the token: %d", got)
	}
	for name, value := range map[string]string{
		"none": "", "another": "Bearer mcprelay_" + strings.Repeat("a", 43), "a part": "Bearer " + w.token[:20],
		"more": "Bearer " + w.token + "x", "another scheme": "Basic " + w.token, "no scheme": w.token, "two": "Bearer " + w.token + ", Bearer x",
	} {
		if got := w.knock("Authorization", value); got != 401 {
			t.Errorf("%s: %d", name, got)
		}
	}
	r := w.request("POST", "/mcp", listTools, modernHeaders("tools/list", "")...)
	r.Header.Add("Authorization", "Bearer other")
	if s, err := w.open(r); err != nil || s.status != 401 {
		t.Errorf("two headers: %v %v", s, err)
	}
	for _, path := range []string{"/mcp?token=" + w.token, "/mcp?access_token=" + w.token, "/sse?token=" + w.token} {
		if a := w.do("GET", path, "", "Authorization", ""); a.status != 401 {
			t.Errorf("a token in the address: %d", a.status)
		}
	}
	// The snippet is what a client needs.
	stdout, _ := w.run(t, "token", "show", "--listen", strings.TrimPrefix(w.url, "http://"))
	url := regexp.MustCompile(`"url": "([^"]+)"`).FindStringSubmatch(stdout)
	value := regexp.MustCompile(`"Authorization": "([^"]+)"`).FindStringSubmatch(stdout)
	if url == nil || value == nil || url[1] != w.url+"/mcp" {
		t.Fatalf("shown: %s", stdout)
	}
	if got := w.knock("Authorization", value[1]); got != 200 {
		t.Errorf("with the token of the snippet: %d", got)
	}
	w.secret(t, w.token)
}

// secret fails when a log, the audit record or a command line has a secret.
func (w *web) secret(t *testing.T, secrets ...string) {
	t.Helper()
	record, err := os.ReadFile(w.audit)
	if err != nil {
		t.Error(err)
	}
	for _, s := range secrets {
		for name, text := range map[string]string{
			"the log": w.stderr.String(), "the audit record": string(record), "a command line": strings.Join(commandLines(), "\n"),
		} {
			if strings.Contains(text, s) {
				t.Errorf("%s has the secret %s", name, s)
			}
		}
	}
}

// TestNamedTokens: a name is who the audit record speaks of, and a token that
// is taken away ends to work in a relay that runs.
func TestNamedTokens(t *testing.T) {
	w := startWeb(t, nil, one("http", object("tokens", object("carol", "${CAROL}"))), "CAROL=carols-canary-token")
	alice, talk := w.run(t, "token", "add", "alice")
	alice = strings.TrimSpace(alice)
	if strings.Contains(talk, alice) {
		t.Error("the token stands in what is said to a person")
	}
	await(t, "a new token", func() bool { return w.knock("Authorization", "Bearer "+alice) == 200 })
	for _, token := range []string{alice, "carols-canary-token"} {
		c, err := w.client(true, "Authorization", "Bearer "+token)
		if err != nil || c.text("one__echo") != "echo" {
			t.Fatalf("%v\n%s", err, w.stderr)
		}
	}
	for _, name := range []string{"alice", "carol"} {
		await(t, name+" in the record", func() bool {
			record, _ := os.ReadFile(w.audit)
			return strings.Contains(string(record), `"principal":"`+name+`"`)
		})
	}
	w.run(t, "token", "remove", "alice")
	await(t, "the end of a token", func() bool { return w.knock("Authorization", "Bearer "+alice) == 401 })
	if got := w.knock("Authorization", "Bearer carols-canary-token"); got != 200 {
		t.Errorf("the other token: %d", got)
	}
	w.secret(t, alice, "carols-canary-token")
}

// await waits until what has to come is there.
func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !there(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s never came", what)
		}
	}
}

// TestWithoutTokens: everybody on the machine may, and the log says so.
func TestWithoutTokens(t *testing.T) {
	w := startWeb(t, []string{"--auth", "none"}, one())
	if w.token != "" {
		t.Error("a token was made that nobody needs")
	}
	for site, want := range map[string]int{"none": 200, "cross-site": 403, "same-site": 403} {
		if got := w.knock("Sec-Fetch-Site", site); got != want {
			t.Errorf("%s: status %d", site, got)
		}
	}
	if !strings.Contains(w.stderr.String(), "level=WARN") || !strings.Contains(w.stderr.String(), "may use it") {
		t.Errorf("nothing warns:\n%s", w.stderr)
	}
}
