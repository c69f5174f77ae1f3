package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/protocol"
)

// TestWithheldIsNotReached: every state but offered, by every method that can
// name a target, in both eras, in every spelling.
func TestWithheldIsNotReached(t *testing.T) {
	const schema = `"inputSchema":{"type":"object"}`
	offered := func(names ...string) map[string]string {
		var tools, prompts, resources []string
		for _, n := range names {
			tools = append(tools, fmt.Sprintf(`{"name":%q,`+schema+`}`, n))
			prompts = append(prompts, fmt.Sprintf(`{"name":%q}`, n))
			resources = append(resources, fmt.Sprintf(`{"uri":"file:///%s","name":%q}`, n, n))
		}
		return map[string]string{
			protocol.ToolsList:     `{"tools":[` + strings.Join(tools, ",") + `]}`,
			protocol.PromptsList:   `{"prompts":[` + strings.Join(prompts, ",") + `]}`,
			protocol.ResourcesList: `{"resources":[` + strings.Join(resources, ",") + `]}`,
			protocol.TemplatesList: `{"resourceTemplates":[{"uriTemplate":"file:///t/{x}","name":"t"}]}`,
		}
	}
	states := map[string]func(r *rig, s *fakeServer){
		"blocked": func(r *rig, _ *fakeServer) { r.judge.blocks("evil", "file:///evil") },
		"held":    func(r *rig, _ *fakeServer) { r.judge.withholds("evil") },
		"changed": func(*rig, *fakeServer) {}, // the memory holds it
		"gone": func(r *rig, s *fakeServer) {
			r.ask(toolsList)
			r.ask(`{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`)
			r.ask(resourcesList)
			s.set(func() { s.answers = offered("x") })
			for _, kind := range []string{"tools", "prompts", "resources"} {
				s.conn(0).says(r.t, `{"jsonrpc":"2.0","method":"notifications/`+kind+`/list_changed"}`)
				time.Sleep(3 * time.Second)
			}
		},
	}
	spellings := []string{"evil", "s0__evil", "Evil", " evil", "evil ", "s0__EVIL", "s1__evil", "ｅvil"}
	uris := []string{"file:///evil", "FILE:///evil", "file:///%65vil", "file:///x/../evil", "file:///evil#x", "file:///evil?x", "file:////evil", "file:///EVIL"}
	requests := map[string]string{
		protocol.ToolsCall: `{"name":%q}`, protocol.PromptsGet: `{"name":%q}`,
		"tools/call/": `{"name":%q}`, "Tools/Call": `{"name":%q}`, "tools/inspect": `{"name":%q}`, "prompts/peek": `{"name":%q}`,
		"acme/x/run": `{"name":%q}`, "acme/x/other": `{"a":[{"tool":%q}]}`,
		protocol.CompletionComplete: `{"ref":{"type":"ref/prompt","name":%q},"argument":{"name":"a","value":"b"}}`,
		"tasks/run":                 `{"name":%q,"task":{}}`,
	}
	byURI := map[string]string{
		protocol.ResourcesRead: `{"uri":%q}`, protocol.Subscribe: `{"uri":%q}`, "resources/peek": `{"uri":%q}`,
		"acme/x/read": `{"uri":%q}`, "acme/x/load": `{"x":%q}`,
		protocol.CompletionComplete: `{"ref":{"type":"ref/resource","name":"s0__x","uri":%q},"argument":{"name":"a","value":"b"}}`,
	}
	for state, bring := range states {
		for _, modern := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to a modern server %v", state, modern), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &fakeServer{
						modern: modern, answers: offered("x", "evil"),
						capabilities: `{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{},"tasks":{},"extensions":{"acme/x":{}}}`,
					}
					r := prepare(t, &judge{}, func(o *Options) {
						o.StartTimeout = time.Second
						if state == "changed" {
							o.Memory = holding("evil", "file:///evil")
						}
					}, s)
					if state == "gone" {
						r.relay.Start(t.Context())
					}
					bring(r, s)
					if state != "gone" {
						r.relay.Start(t.Context())
					}
					time.Sleep(5 * time.Second)
					r.ask(toolsList)
					s.took()
					try := func(method, params string) {
						t.Helper()
						quoted := `{"jsonrpc":"2.0","id":3,"method":"` + method + `","params":` + params + `}`
						for _, frame := range []string{
							quoted,
							strings.Replace(quoted, `"id":3,`, "", 1),
							strings.Replace(strings.Replace(quoted, `"id":3,`, "", 1), `"method":"`, `"method":"notifications/`, 1),
							strings.TrimSuffix(quoted, "}}") + "," + modernMeta(everything, "") + "}}",
							strings.TrimSuffix(quoted, "}}") + `,"task":{"ttl":1}}}`,
						} {
							r.send(frame)
							time.Sleep(2 * time.Second)
							synctest.Wait()
							got := slices.DeleteFunc(s.took(), isList)
							if known := method == protocol.ToolsCall || method == protocol.PromptsGet; state == "gone" && !known {
								continue // the server does not list it: it is a word like any other
							}
							if len(got) != 0 {
								t.Errorf("%s: the server got %s", frame, got)
							}
						}
					}
					for method, params := range requests {
						for _, name := range spellings {
							try(method, fmt.Sprintf(params, name))
						}
					}
					for method, params := range byURI {
						for _, uri := range uris {
							try(method, fmt.Sprintf(params, uri))
						}
					}
				})
			})
		}
	}
}

// isList reports whether a message is the relay's own question for what is
// offered.
func isList(m string) bool {
	method, _, _ := strings.Cut(m, " ")
	return strings.HasSuffix(method, "/list")
}

// TestExtensionsReachWhatIsOffered, also when something else is withheld.
func TestExtensionsReachWhatIsOffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "evil"}}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.wantPart(`{"jsonrpc":"2.0","id":3,"method":"acme/x/run","params":{"name":"s0__x","deep":[{"a":["devil","evils"]}]}}`, `"echo":{"name":"x"`)
	})
}
