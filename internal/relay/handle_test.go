package relay

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// handle is something that the relay gives to one client and that another may
// present.
type handle struct {
	name string
	// make has the owner get a handle and returns it. held is the call that is
	// under way, if there is one.
	make func(t *testing.T, o *rig, s *fakeServer) string
	// present are the frames with which it is presented, HANDLE in its place.
	present []string
	// never is a handle of the same form that nobody got.
	never string
	// survives checks that what the handle stands for was not touched.
	survives func(t *testing.T, o *rig, s *fakeServer)
	// same says that another session of the same principal may use it.
	same bool
}

func handles() []handle {
	var mine *fakeCall
	task := func(method, rest string) string {
		return `{"jsonrpc":"2.0","id":9,"method":"` + method + `","params":{"taskId":"HANDLE"` + rest + `}}`
	}
	modernly := "," + modernMeta(everything, "")
	stateFrames := []string{again(9, "HANDLE", accepted)}
	return []handle{
		{
			name: "state of a parked call", never: strings.Repeat("A", 80), present: stateFrames, same: true,
			make: func(t *testing.T, o *rig, s *fakeServer) string {
				t.Helper()
				c, state := parkedCall(t, o, s.holding())
				mine = c
				return state
			},
			survives: func(t *testing.T, o *rig, _ *fakeServer) {
				t.Helper()
				if mine.ended || o.relay.lot.Len() != 1 {
					t.Error("the parked call was touched")
				}
			},
		},
		{
			name: "state of a modern server", never: strings.Repeat("A", 80), present: stateFrames, same: true,
			make: func(t *testing.T, o *rig, s *fakeServer) string {
				t.Helper()
				s.set(func() { s.onCall = func(_ *fakeConn, c *fakeCall) { go c.result(input(`"theirs"`, wantsName)) } })
				_, state := wanted(t, o.visit("local").ask(strings.ReplaceAll(modernCall(5, ""), "s0__", "s1__")))
				return state
			},
		},
		{
			name: "cursor", never: strings.Repeat("A", 80), same: true,
			present: []string{
				`{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{"cursor":"HANDLE"}}`,
				`{"jsonrpc":"2.0","id":9,"method":"tools/list","params":{"cursor":"HANDLE"` + modernly + `}}`,
				`{"jsonrpc":"2.0","id":9,"method":"prompts/list","params":{"cursor":"HANDLE"}}`,
				`{"jsonrpc":"2.0","id":9,"method":"tasks/list","params":{"cursor":"HANDLE"}}`,
			},
			make: func(t *testing.T, o *rig, _ *fakeServer) string {
				t.Helper()
				got := o.ask(toolsList)
				return unquoted(memberOf(memberOf(got[0], "result"), "nextCursor"))
			},
		},
		{
			name: "task", never: "never", same: true,
			present: []string{
				task(protocol.TasksGet, ""), task(protocol.TasksResult, ""), task(protocol.TasksCancel, ""), task(protocol.TasksUpdate, ""), task("acme/x/task", ""),
				task(protocol.TasksGet, modernly), task(protocol.TasksCancel, modernly), task(protocol.TasksUpdate, modernly),
				`{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"HANDLE"}}`,
				listenFrame("9", `{"taskIds":["HANDLE"]}`),
			},
			make: func(t *testing.T, o *rig, s *fakeServer) string {
				t.Helper()
				s.set(func() {
					s.onCall = func(_ *fakeConn, c *fakeCall) { go c.result(`{"task":{"taskId":"t1","status":"working"}}`) }
				})
				o.ask(call)
				return "t1"
			},
		},
		{
			name: "request id", never: "999",
			present: []string{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":HANDLE}}`},
			make: func(t *testing.T, o *rig, s *fakeServer) string {
				t.Helper()
				held := s.holding()
				o.ask(call)
				mine = held()
				return "2"
			},
			survives: func(t *testing.T, _ *rig, _ *fakeServer) {
				t.Helper()
				if mine.ended {
					t.Error("the call was cancelled")
				}
			},
		},
		{
			name: "question id", never: "999",
			present: []string{`{"jsonrpc":"2.0","id":HANDLE,"result":{"action":"accept"}}`, `{"jsonrpc":"2.0","id":HANDLE,"error":{"code":1,"message":"m"}}`},
			make: func(t *testing.T, o *rig, s *fakeServer) string {
				t.Helper()
				held := s.holding()
				o.ask(call)
				held().says(t, elicit)
				id, _ := o.asked(protocol.Elicit)
				return id
			},
			survives: func(t *testing.T, _ *rig, s *fakeServer) {
				t.Helper()
				if s.openQuestions() != 1 {
					t.Error("the question was answered")
				}
			},
		},
		{
			name: "progress token", never: `"never"`,
			present: []string{`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":HANDLE,"progress":1}}`},
			make: func(t *testing.T, o *rig, s *fakeServer) string {
				t.Helper()
				held := s.holding()
				o.ask(call)
				held().says(t, strings.Replace(elicit, `{"message"`, `{"_meta":{"progressToken":"p"},"message"`, 1))
				o.asked(protocol.Elicit)
				return `"p"`
			},
		},
		{
			name: "subscription", never: "file:///b",
			present: []string{watchFrame(9, protocol.Unsubscribe, "HANDLE")},
			make: func(t *testing.T, o *rig, _ *fakeServer) string {
				t.Helper()
				o.ask(watchFrame(2, protocol.Subscribe, "file:///a"))
				return "file:///a"
			},
			survives: func(t *testing.T, o *rig, _ *fakeServer) {
				t.Helper()
				if !o.relay.hub.isWatched(resource{"s0", "file:///a"}) {
					t.Error("it is watched no more")
				}
			},
		},
		{
			name: "id of a subscription", never: `"never"`,
			present: []string{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":HANDLE}}`},
			make: func(t *testing.T, o *rig, _ *fakeServer) string {
				t.Helper()
				o.visit("local").ask(listenFrame(`"l"`, `{"toolsListChanged":true}`))
				return `"l"`
			},
			survives: func(t *testing.T, o *rig, _ *fakeServer) {
				t.Helper()
				if len(o.relay.hub.listens) != 1 {
					t.Error("the subscription was ended")
				}
			},
		},
	}
}

// TestHandlesOfOthers: each handle, presented by another principal or by another
// session, is answered like one that never was, and does nothing.
func TestHandlesOfOthers(t *testing.T) {
	for _, h := range handles() {
		for _, principal := range []string{"other", "local"} {
			if h.same && principal == "local" {
				continue // the principal may go on in another session
			}
			for _, frame := range h.present {
				t.Run(h.name+" as "+principal, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := &fakeServer{
							tools:        []string{"x", "y", "z"},
							capabilities: `{"tools":{},"resources":{"subscribe":true},"tasks":{"list":{}},"extensions":{"acme/x":{}}}`,
							answers:      map[string]string{protocol.ResourcesList: `{"resources":[{"uri":"file:///a","name":"a"},{"uri":"file:///b","name":"b"}]}`},
						}
						second := &fakeServer{modern: true, tools: []string{"x"}}
						o := start(t, func(opts *Options) { opts.PageSize = 2 }, s, second)
						o.greets(everything)
						o.ask(toolsList)
						o.ask(resourcesList)
						maker := s
						if h.name == "state of a modern server" {
							maker = second
						}
						given := h.make(t, o, maker)
						o.got()
						present := func(value string) []string {
							thief := o.join(peer.Hello{Session: "thief", Principal: principal})
							thief.greets(everything)
							s.took()
							second.took()
							got := thief.ask(strings.ReplaceAll(frame, "HANDLE", value))
							for i := range got {
								got[i] = strings.ReplaceAll(got[i], value, "HANDLE")
							}
							if in := slices.Concat(s.took(), second.took()); len(in) != 0 {
								t.Errorf("%s: a server got %s", value, in)
							}
							return got
						}
						stolen, unknown := present(given), present(h.never)
						if !slices.Equal(stolen, unknown) {
							t.Errorf("got %s\nwant %s", stolen, unknown)
						}
						if got := o.got(); len(got) != 0 {
							t.Errorf("the owner got %s", got)
						}
						if h.survives != nil {
							h.survives(t, o, s)
						}
					})
				})
			}
		}
	}
}
