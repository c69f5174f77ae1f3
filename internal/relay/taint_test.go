package relay

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// tainted returns copies of a JSON document, each with the canary at another
// place: instead of one string, as a member's name, or as a new member.
func tainted(t *testing.T, document, canary string) []string {
	t.Helper()
	var all []string
	var root any
	if err := json.Unmarshal([]byte(document), &root); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	add := func() {
		text, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text))
	}
	var walk func(value any, set func(any))
	walk = func(value any, set func(any)) {
		switch v := value.(type) {
		case map[string]any:
			v[canary] = canary
			add()
			delete(v, canary)
			for name, member := range v {
				walk(member, func(to any) { v[name] = to })
			}
		case []any:
			for i, element := range v {
				walk(element, func(to any) { v[i] = to })
			}
		default:
			set(canary)
			add()
			set(value)
		}
	}
	walk(root, func(to any) { root = to })
	return all
}

// TestNothingFromAServerComesOutUnseen puts a canary at every place of every
// kind of message of a server: a scanner has seen it, or it does not come out.
func TestNothingFromAServerComesOutUnseen(t *testing.T) {
	const canary = "CANARY"
	tool := `{"tools":[{"name":"x","title":"t","description":"d","inputSchema":{"type":"object","properties":{"p":{"type":"string","enum":["e"],"default":"f"}}},` +
		`"annotations":{"title":"a","readOnlyHint":true},"icons":[{"src":"https://x"}],"_meta":{"m":1}}],"nextCursor":null,"_meta":{"x":"y"}}`
	result := `{"content":[{"type":"text","text":"t","annotations":{"audience":["user"]},"_meta":{"k":"v"}},{"type":"image","data":"aGk=","mimeType":"image/png"},` +
		`{"type":"resource","resource":{"uri":"file:///x","mimeType":"text/plain","text":"r"}}],"structuredContent":{"a":[1,"b",{"c":null}]},"isError":false,"_meta":{"z":"q"}}`
	hello := `{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"experimental":{"e":{}}},"serverInfo":{"name":"n","version":"v","title":"t"},"instructions":"i"}`
	failure := `{"code":-32000,"message":"m","data":{"d":["x"]}}`
	notes := map[string]string{
		protocol.Progress:                 `{"progressToken":"1","progress":1,"total":2,"message":"m","_meta":{"a":"b"}}`,
		protocol.LogMessage:               `{"level":"info","logger":"l","data":{"a":"b"}}`,
		protocol.ToolsListChanged:         `{"_meta":{"a":"b"}}`,
		"notifications/resources/updated": `{"uri":"file:///x"}`,
		"notifications/unheard":           `{"a":["b"]}`,
	}
	type scene struct {
		name, document string
		play           func(t *testing.T, r *rig, s *fakeServer, document string)
	}
	answering := func(method string) func(t *testing.T, r *rig, s *fakeServer, document string) {
		return func(_ *testing.T, r *rig, s *fakeServer, document string) {
			s.answers = map[string]string{method: document}
			r.relay.Start(r.t.Context())
			r.ask(toolsList)
			r.ask(call)
		}
	}
	scenes := []scene{
		{"tools/list", tool, answering(protocol.ToolsList)},
		{"initialize", hello, answering(protocol.Initialize)},
		{"result", result, answering(protocol.ToolsCall)},
		{"error", failure, func(t *testing.T, r *rig, s *fakeServer, document string) {
			t.Helper()
			s.onCall = func(_ *fakeConn, c *fakeCall) { go c.reply(peer.Reply{Error: []byte(document)}) }
			r.relay.Start(r.t.Context())
			r.ask(toolsList)
			r.ask(call)
		}},
	}
	for method, params := range notes {
		scenes = append(scenes, scene{method, params, func(t *testing.T, r *rig, s *fakeServer, document string) {
			t.Helper()
			s.onCall = func(c *fakeConn, call *fakeCall) {
				token := between(call.params, `"progressToken":`, "}")
				params := strings.Replace(document, `"progressToken":"1"`, `"progressToken":`+token, 1)
				if m, err := jsonrpc.Parse([]byte(`{"jsonrpc":"2.0","method":"`+method+`","params":`+params+`}`), protocol.Message()); err == nil {
					c.h.Notification(m)
				}
				go call.result(`{"ok":1}`)
			}
			r.relay.Start(r.t.Context())
			r.ask(toolsList)
			r.ask(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","_meta":{"progressToken":"mine"}}}`)
		}})
	}
	total := 0
	for _, sc := range scenes {
		t.Run(sc.name, func(t *testing.T) {
			came := 0
			for _, document := range tainted(t, sc.document, canary) {
				synctest.Test(t, func(t *testing.T) {
					s := &fakeServer{tools: []string{"x"}}
					r := prepare(t, &judge{}, nil, s)
					sc.play(t, r, s, document)
					time.Sleep(3 * time.Second)
					synctest.Wait()
					out := strings.Join(append(r.sink.take(), r.everything...), "\n")
					saw := strings.Join(r.judge.saw(), "\n")
					if strings.Contains(out, canary) {
						came++
						if !strings.Contains(saw, canary) {
							t.Errorf("came out unseen: %s\n%s", document, out)
						}
					}
				})
				total++
			}
			t.Logf("%d came out, each seen", came)
		})
	}
	if total < 60 {
		t.Errorf("only %d places", total)
	}
}

// TestNothingFromAClientGoesInUnseen is the other direction.
func TestNothingFromAClientGoesInUnseen(t *testing.T) {
	const canary = "CANARY"
	frames := map[string]string{
		"call":         `{"jsonrpc":"2.0","id":"i","method":"tools/call","params":{"name":"s0__x","arguments":{"a":["b",{"c":"d"}]},"_meta":{"progressToken":"p","x":"y"},"task":{"ttl":1}}}`,
		"extension":    `{"jsonrpc":"2.0","id":"i","method":"acme/x/do","params":{"a":"b"}}`,
		"notification": `{"jsonrpc":"2.0","method":"acme/x/told","params":{"a":"b"}}`,
		"cancel":       `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"r"}}`,
		"level":        `{"jsonrpc":"2.0","id":"i","method":"logging/setLevel","params":{"level":"info","_meta":{"a":"b"}}}`,
		"initialize":   `{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"a":{}},"clientInfo":{"name":"n","version":"v"}}}`,
	}
	for name, frame := range frames {
		t.Run(name, func(t *testing.T) {
			for _, document := range tainted(t, frame, canary) {
				synctest.Test(t, func(t *testing.T) {
					s := &fakeServer{tools: []string{"x"}}
					r := start(t, nil, s)
					r.ask(toolsList)
					s.set(func() { s.onCall = func(*fakeConn, *fakeCall) {} })
					r.ask(call) // something to cancel
					r.ask(document)
					time.Sleep(time.Second)
					in := strings.Join(s.got(), "\n")
					if saw := strings.Join(append(r.judge.saw(), r.judge.methods...), "\n"); strings.Contains(in, canary) && !strings.Contains(saw, canary) {
						t.Errorf("went in unseen: %s\n%s", document, in)
					}
				})
			}
		})
	}
}
