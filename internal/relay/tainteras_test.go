package relay

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// TestWhatServersAskIsSeen puts a canary at every place of what servers of both
// eras ask and announce, for clients of both.
func TestWhatServersAskIsSeen(t *testing.T) {
	const canary = "CANARY"
	question := `{"jsonrpc":"2.0","id":"i","method":"elicitation/create","params":{"message":"m","mode":"form","requestedSchema":{"type":"object","properties":{"p":{"type":"string","title":"t","enum":["e"]}}},"_meta":{"a":"b"}}}`
	wants := `{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}},` +
		`"l":{"method":"sampling/createMessage","params":{"messages":[{"role":"user","content":{"type":"text","text":"t"}}],"maxTokens":1,"systemPrompt":"s","includeContext":"allServers"}}},` +
		`"requestState":"s","_meta":{"a":"b"}}`
	result := `{"resultType":"complete","content":[{"type":"text","text":"t"}],"ttlMs":1,"cacheScope":"public","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"n","version":"v"}}}`
	hello := `{"supportedVersions":["2026-07-28"],"capabilities":{"tools":{},"extensions":{"e":{}},"experimental":{"x":{}}},"instructions":"i","serverInfo":{"name":"n","version":"v"},"_meta":{"a":"b"}}`
	failure := `{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://x.example","message":"m"}]}}`
	update := `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///a","_meta":{"a":"b"}}}`
	asks := func(document string) func(*fakeConn, *fakeCall) {
		return func(_ *fakeConn, c *fakeCall) {
			go func() {
				if m, err := jsonrpc.Parse([]byte(document), protocol.Message()); err == nil && m.Kind() == jsonrpc.Request {
					c.by.Request(m)
					return
				}
				c.result(`{}`)
			}()
		}
	}
	answers := func(document string) func(*fakeConn, *fakeCall) {
		return func(_ *fakeConn, c *fakeCall) { go c.result(document) }
	}
	fails := func(document string) func(*fakeConn, *fakeCall) {
		return func(_ *fakeConn, c *fakeCall) { go c.fails(document) }
	}
	scenes := []struct {
		name, document string
		modern         bool
		play           func(document string) func(*fakeConn, *fakeCall)
	}{
		{"question", question, false, asks},
		{"input", wants, true, answers},
		{"input of a legacy server", wants, false, answers},
		{"result", result, true, answers},
		{"address", failure, false, fails},
		{"discover", hello, true, nil},
		{"update", update, false, nil},
		{"update of a modern server", update, true, nil},
	}
	for _, sc := range scenes {
		for _, servers := range []int{1, 2} {
			t.Run(sc.name, func(t *testing.T) {
				came := 0
				for _, document := range tainted(t, sc.document, canary) {
					synctest.Test(t, func(t *testing.T) {
						s := &fakeServer{modern: sc.modern, tools: []string{"x"}}
						all := []*fakeServer{s, {tools: []string{"x"}}}[:servers]
						if sc.name == "discover" {
							s.onProbe = answers(document)
						}
						r := start(t, nil, all...)
						r.greets(everything)
						r.ask(toolsList)
						if sc.play != nil {
							s.set(func() { s.onCall = sc.play(document) })
						}
						if strings.HasPrefix(sc.name, "update") {
							r.relay.hub.watch(resource{"s0", "file:///a"}, r.client.session)
							r.relay.hub.watch(resource{"s0", "file:///"}, r.client.session)
							if m, err := jsonrpc.Parse([]byte(document), protocol.Message()); err == nil && m.Kind() == jsonrpc.Notification {
								s.conn(0).h.Notification(m)
							}
						}
						r.send(call)
						v := r.visit("local")
						v.send(modernCall(5, ""))
						v.send(strings.Replace(discover, `"id":0`, `"id":6`, 1))
						r.send(hello2)
						time.Sleep(time.Second)
						synctest.Wait()
						out := strings.Join(append(append(r.sink.take(), v.sink.take()...), r.everything...), "\n")
						if !strings.Contains(out, canary) {
							return
						}
						came++
						if saw := strings.Join(r.judge.saw(), "\n") + strings.Join(r.judge.methods, "\n"); !strings.Contains(saw, canary) {
							t.Errorf("came out unseen: %s\n%s", document, out)
						}
					})
				}
				t.Logf("%d came out, each seen", came)
				if came == 0 {
					t.Error("nothing came out")
				}
			})
		}
	}
}

// hello2 is a second handshake, which tells again what servers say of
// themselves.
const hello2 = `{"jsonrpc":"2.0","id":77,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":` + everything + `,"clientInfo":{"name":"c","version":"1"}}}`

// TestWhatClientsAnswerIsSeen puts a canary at every place of what clients of
// both eras answer and subscribe to.
func TestWhatClientsAnswerIsSeen(t *testing.T) {
	const canary = "CANARY"
	response := `{"jsonrpc":"2.0","id":1,"result":{"action":"accept","content":{"n":"v"},"_meta":{"a":"b"}}}`
	failure := `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","data":{"d":["x"]}}}`
	responses := `{"q1":{"action":"accept","content":{"n":"v"}},"name":{"action":"accept","content":{"n":"v"}}}`
	filter := `{"resourceSubscriptions":["file:///a","file:///b"],"toolsListChanged":true}`
	for _, modernServer := range []bool{false, true} {
		for name, document := range map[string]string{"response": response, "failure": failure, "responses": responses, "filter": filter, "call": modernCall(5, "")} {
			t.Run(name, func(t *testing.T) {
				for _, document := range tainted(t, document, canary) {
					synctest.Test(t, func(t *testing.T) {
						s := library(modernServer)
						s.tools, s.capabilities = []string{"x"}, `{"tools":{},"resources":{"subscribe":true}}`
						asking := true
						s.onCall = func(_ *fakeConn, c *fakeCall) {
							switch {
							case c.method != protocol.ToolsCall || !asking:
								go c.result(`{}`)
							case modernServer:
								go c.result(input(`"s"`, wantsName))
							default:
								go func() { c.says(t, elicit) }()
							}
						}
						r := start(t, nil, s)
						r.greets(everything)
						r.ask(toolsList)
						switch name {
						case "response", "failure":
							r.ask(call)
							s.set(func() { asking = false })
							r.ask(document)
						case "responses":
							v := r.visit("local")
							v.send(modernCall(5, ""))
							_, state := wanted(t, v.soon())
							s.set(func() { asking = false })
							r.visit("local").send(again(6, state, document))
						case "filter":
							r.visit("local").send(listenFrame("1", document))
						default:
							v := r.visit("local")
							v.ask(document)
						}
						time.Sleep(time.Second)
						in := strings.Join(s.got(), "\n")
						if l, _ := s.subscription(); l != nil {
							in += l.params
						}
						saw := strings.Join(append(r.judge.saw(), r.judge.methods...), "\n")
						if strings.Contains(in, canary) && !strings.Contains(saw, canary) {
							t.Errorf("went in unseen: %s\n%s", document, in)
						}
					})
				}
			})
		}
	}
}
