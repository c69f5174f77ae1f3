package relay

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mcp-relay/relay/internal/registry"
)

// What a client shows of a server is judged like the rest of a definition: the
// pages of an app and what they may reach, icons, addresses. Icons that could hurt
// a client are gone before anybody judges or offers them.
func TestWhatClientsShowIsJudged(t *testing.T) {
	const (
		ui      = `"_meta":{"ui":{"resourceUri":"ui://app/main","csp":{"connectDomains":["https://a.example"]}}}`
		good    = `{"src":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAE="}`
		tool    = `{"name":"x","icons":[{"src":"javascript:alert(1)"},` + good + `],` + ui + `}`
		page    = `{"uri":"ui://app/main","name":"page","mimeType":"text/html;profile=mcp-app","icons":[{"src":"http://a/b"}],"_meta":{"ui":{"domain":"d"}}}`
		html    = `{"contents":[{"uri":"ui://app/main","mimeType":"text/html;profile=mcp-app","text":"<script>PAGE</script>","_meta":{"ui":{"csp":{}}}}]}`
		safe    = `{"name":"x","icons":[` + good + `],` + ui + `}`
		safeUI  = `{"uri":"ui://app/main","name":"page","mimeType":"text/html;profile=mcp-app","_meta":{"ui":{"domain":"d"}}}`
		linked  = `{"content":[{"type":"resource_link","uri":"file:///x","name":"l","icons":[{"src":"file:///y"}]}]}`
		safeOne = `{"content":[{"type":"resource_link","uri":"file:///x","name":"l"}]}`
	)
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{capabilities: `{"tools":{},"resources":{}}`, tools: []string{"x"}, answers: map[string]string{
			"tools/list": `{"tools":[` + tool + `]}`, "resources/list": `{"resources":[` + page + `]}`, "resources/read": html, "tools/call": linked,
		}}
		r := start(t, nil, s)
		r.greets(`{}`)
		if got := r.ask(toolsList); len(got) != 1 || !strings.Contains(got[0], `"icons":[`+good+`],`+ui) || strings.Contains(got[0], "javascript") {
			t.Errorf("listed %s", got)
		}
		if got := r.ask(`{"jsonrpc":"2.0","id":7,"method":"resources/list"}`); len(got) != 1 || !strings.Contains(got[0], safeUI) {
			t.Errorf("listed %s", got)
		}
		r.wantPart(`{"jsonrpc":"2.0","id":8,"method":"resources/read","params":{"uri":"ui://app/main"}}`, html)
		r.wantPart(call, safeOne)
		saw := r.judge.saw()
		for _, want := range []string{
			`definition  {"tools":[` + safe + `]}`, `definition  {"resources":[` + safeUI + `]}`, "response ui://app/main " + html, "response x " + safeOne,
		} {
			if !slices.Contains(saw, want) {
				t.Errorf("the scanner did not see %s, but %q", want, saw)
			}
		}
	})
}

// TestAnAppThatReachesOut is withheld like any other definition.
func TestAnAppThatReachesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{capabilities: `{"tools":{},"resources":{}}`, tools: []string{"x"}, answers: map[string]string{
			"tools/list": `{"tools":[{"name":"x","_meta":{"ui":{"csp":{"connectDomains":["https://evil"]}}}},{"name":"y"}]}`,
		}}
		r := start(t, nil, s)
		r.greets(`{}`)
		if got := r.ask(toolsList); len(got) != 1 || strings.Contains(got[0], "evil") || !strings.Contains(got[0], "s0__y") {
			t.Errorf("listed %s", got)
		}
		if e := r.relay.Registry().Entries(registry.Tools); len(e) != 2 || e[0].State != registry.Blocked {
			t.Errorf("entries %+v", e)
		}
	})
}
