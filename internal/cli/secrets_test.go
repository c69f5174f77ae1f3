package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The canaries of the clients and of the configuration.
const (
	clientCanary = "header-of-the-client-canary"
	serverCanary = "header-for-the-server-canary"
	envCanary    = "environment-of-a-server-canary"
)

// TestSecretsStayWhereTheyBelong: nothing of a client's headers reaches a server
// elsewhere, nothing of a server's headers reaches a client, and what the
// configuration has for a server reaches that server only.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	old, fresh := startRemote(t, false, nil), startRemote(t, true, nil)
	stdio := hostileProgram("legacy")
	stdio["env"] = object("TOKEN", "${ENV_CANARY}")
	w := startWeb(t, []string{"--log-level", "debug"}, object(
		"mcpServers", object(
			"old", object("type", "http", "url", old.URL, "headers", object("X-Api-Key", "${HEADER_CANARY}")),
			"new", object("type", "http", "url", fresh.URL, "headers", object("Authorization", "Bearer ${HEADER_CANARY}")),
			"other", object("type", "http", "url", startRemote(t, false, nil).URL),
			"stdio", stdio, "exits", object("command", stdio["command"], "args", []string{"exits"}, "env", stdio["env"]),
		), "relay", noopOnly(),
	), "HEADER_CANARY="+serverCanary, "ENV_CANARY="+envCanary)
	var headers, sessions []string
	for _, name := range []string{
		"X-Canary", "Cookie", "X-Forwarded-For", "User-Agent", "Referer", "Last-Event-Id", "Mcp-Param-Region", "X-Api-Key", "Proxy-Authorization",
		"Traceparent", "Accept-Language",
	} {
		headers = append(headers, name, clientCanary)
	}
	for _, modern := range []bool{false, true} {
		for _, server := range []string{"old", "new"} {
			all := append([]string(nil), headers...)
			params := `{"name":"` + server + `__echo","arguments":{}`
			if modern {
				// The header has to say what the arguments say, where the tool has such a header.
				all = append(append(all, modernHeaders("tools/call", server+"__echo")...), "Mcp-Param-Region", "")
				params += "," + modernMeta
			} else {
				session, err := w.session(headers...)
				if err != nil {
					t.Fatalf("%v\n%s", err, w.stderr)
				}
				all = append(all, "Mcp-Session-Id", session)
				sessions = append(sessions, session)
			}
			a := w.do("POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":`+params+`}}`, all...)
			if a.status != 200 || !strings.Contains(a.body, `"text":"echo"`) {
				t.Errorf("modern %t, %s: %+v\n%s", modern, server, a, w.stderr)
			}
			if got := fmt.Sprint(a); strings.Contains(got, "canary") {
				t.Errorf("modern %t, %s: the client got %s", modern, server, got)
			}
		}
	}
	for name, s := range map[string]*remoteMCP{"old": old, "new": fresh} {
		all, each := s.heard()
		for _, secret := range []string{clientCanary, w.token, envCanary} {
			if strings.Contains(all, secret) {
				t.Errorf("%s got %s:\n%s", name, secret, all)
			}
		}
		for _, h := range each {
			if h.Get("X-Api-Key")+h.Get("Authorization") != map[string]string{"old": serverCanary, "new": "Bearer " + serverCanary}[name] {
				t.Errorf("%s got the headers %v", name, h)
			}
		}
		if len(each) < 4 {
			t.Errorf("%s got %d requests", name, len(each))
		}
	}
	w.secret(t, append(sessions, w.token, clientCanary, serverCanary, envCanary, answerCanary)...)
}

// TestHostileRemotes: what a server elsewhere says beside its messages, whatever
// it does with the secrets that it was given, is said by nobody else; and no
// request follows where it points.
func TestHostileRemotes(t *testing.T) {
	target := startRemote(t, false, nil)
	servers := object()
	for _, status := range []int{301, 302, 303, 307, 308, 400, 401, 403, 404, 429, 500, 502} {
		s := startRemote(t, status%2 == 0, func(w http.ResponseWriter, r *http.Request) bool {
			echo := r.Header.Get("X-Api-Key") + answerCanary
			w.Header().Set("Location", target.URL)
			w.Header().Set("WWW-Authenticate", `Bearer error="`+echo+`", resource_metadata="`+target.URL+`/`+echo+`"`)
			w.Header().Set("Retry-After", echo)
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"%s"}}`, echo)
			return false
		})
		servers[fmt.Sprintf("s%d", status)] = object("type", "http", "url", s.URL, "headers", object("X-Api-Key", "${HEADER_CANARY}"))
	}
	// It is well until it is called.
	failing := startRemote(t, true, nil)
	failing.admit = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Mcp-Method") != "tools/call" {
			return true
		}
		w.Header().Set("Location", target.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
		fmt.Fprint(w, answerCanary)
		return false
	}
	servers["failing"] = object("type", "http", "url", failing.URL, "headers", object("X-Api-Key", "${HEADER_CANARY}"))
	w := startWeb(t, []string{"--log-level", "debug"}, object("mcpServers", servers, "relay", object("start_timeout", "2s", "scanners", noopOnly()["scanners"])),
		"HEADER_CANARY="+serverCanary)
	c := w.mustClient(true, w.token)
	m, err := c.send("tools/list", "", []byte("{}"))
	if !strings.Contains(string(m.Result), `"cacheScope":"private"`) || strings.Contains(string(m.Result), "31536000000") {
		t.Errorf("the server says how long its list is good: %s", m.Result)
	}
	if err != nil || strings.Contains(string(m.Result), "canary") || !strings.Contains(string(m.Result), "failing__echo") {
		t.Errorf("%s %v\n%s", m.Result, err, w.stderr)
	}
	if m, err := c.call("failing__echo"); err != nil || strings.Contains(string(m.Result), "canary") || !strings.Contains(string(m.Result), "ToolExecutionError") {
		t.Errorf("%s %v", m.Result, err)
	}
	if all, _ := target.heard(); all != "" {
		t.Errorf("a redirect was followed: %s", all)
	}
	w.secret(t, w.token, serverCanary, answerCanary)
}

// TestMirroredArguments: headers that repeat arguments are made of what the
// verdict left of these, and a client whose headers say something else is refused.
func TestMirroredArguments(t *testing.T) {
	remote := startRemote(t, true, nil)
	w := startWeb(t, nil, object("mcpServers", object("one", object("type", "http", "url", remote.URL)), "relay", object(
		"scanners", []any{object("name", "guard", "plugin", "guard", "redact_requests", true)},
	)))
	call := func(region, header string) answer {
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one__echo","arguments":{"region":"` + region + `"},` + modernMeta + `}}`
		return w.do("POST", "/mcp", body, append(modernHeaders("tools/call", "one__echo"), "Mcp-Param-Region", header)...)
	}
	for _, test := range []struct {
		region, header, want string // want: the header that the server gets; empty: none
		status               int
	}{
		{"north", "north", "north", 200},
		{"south", "north", "", 400},
		{"south", "", "", 400},
		{secretKey, secretKey, "[redacted:", 200},
	} {
		_, before := remote.heard()
		a := call(test.region, test.header)
		if a.status != test.status || a.status == 400 && !strings.Contains(a.body, "-32020") {
			t.Errorf("%s: %+v\n%s", test.region, a, w.stderr)
		}
		_, after := remote.heard()
		if test.want == "" {
			if len(after) != len(before) {
				t.Errorf("%s: the server got %v", test.region, after[len(before):])
			}
			continue
		}
		if got := after[len(after)-1].Get("Mcp-Param-Region"); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: the server got the header %q", test.region, got)
		}
	}
	if all, _ := remote.heard(); strings.Contains(all, secretKey) {
		t.Errorf("the server got the secret: %s", all)
	}
}

// secretKey is what guard takes for a secret.
const secretKey = "AKIAZ5GMXQ7KJ2RTPWNB"
