package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

const tasksList = `{"jsonrpc":"2.0","id":4,"method":"tasks/list"}`

// worker is a server that makes a task of each call.
func worker(name string) *fakeServer {
	s := &fakeServer{tools: []string{"x"}, capabilities: `{"tools":{},"tasks":{"list":{},"cancel":{}}}`}
	n := 0
	s.onCall = func(_ *fakeConn, c *fakeCall) {
		if c.method == protocol.ToolsCall {
			n++
			go c.result(fmt.Sprintf(`{"task":{"taskId":"%s%d","status":"working"}}`, name, n))
			return
		}
		go c.result(`{"echo":` + c.params + `}`)
	}
	return s
}

// TestTasksAreRoutedById to the server that made them, for who asked for them.
func TestTasksAreRoutedById(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s0, s1 := worker("a"), worker("b")
		a := start(t, nil, s0, s1)
		b := a.join(peer.Hello{Session: "b", Principal: "other"})
		a.greets(`{}`)
		b.greets(`{}`)
		a.ask(toolsList)
		a.ask(call)
		b.ask(strings.Replace(call, "s0__", "s1__", 1))
		for _, method := range []string{protocol.TasksGet, protocol.TasksResult, protocol.TasksCancel} {
			frame := `{"jsonrpc":"2.0","id":5,"method":"` + method + `","params":{"taskId":"a1"}}`
			a.wantPart(frame, `"echo":{"taskId":"a1"}`)
			b.wantPart(frame, `"code":-32601`)
			b.wantPart(strings.Replace(frame, "a1", "b1", 1), `"echo":{"taskId":"b1"}`)
		}
		if got := strings.Join(s0.took(), "\n"); strings.Count(got, `tasks/`) != 3 || strings.Contains(got, "b1") {
			t.Errorf("the first server got %s", got)
		}
		// What becomes of a task is for its owner.
		status := func(id string) string {
			return `{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"` + id + `","status":"completed"}}`
		}
		s0.conn(0).says(t, status("a1"))
		s1.conn(0).says(t, status("b1"))
		s1.conn(0).says(t, status("a1")) // another server's task
		if got := a.got(); !slices.Equal(got, []string{status("a1")}) {
			t.Errorf("got %s", got)
		}
		if got := b.got(); !slices.Equal(got, []string{status("b1")}) {
			t.Errorf("the other got %s", got)
		}
	})
}

// TestAServerSpeaksOfATaskAtOnce: before the answer that makes it was judged.
func TestAServerSpeaksOfATaskAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := worker("a")
		r := start(t, nil, s)
		r.greets(`{}`)
		r.ask(toolsList)
		r.judge.dawdle(time.Second)
		s.set(func() {
			s.onCall = func(c *fakeConn, fc *fakeCall) {
				go func() {
					fc.result(`{"task":{"taskId":"a1","status":"working","statusMessage":"SLOW"}}`)
					c.says(t, `{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{"taskId":"a1","status":"completed"}}`)
				}()
			}
		})
		r.send(call)
		time.Sleep(3 * time.Second)
		if got := r.got(); len(got) != 2 {
			t.Errorf("got %s", got)
		}
	})
}

// TestTasksAreListedForTheirOwner: those of all servers, and nothing of others,
// whose contents are not judged for somebody else either.
func TestTasksAreListedForTheirOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s0, s1 := worker("a"), worker("b")
		silent := &fakeServer{tools: []string{"x"}, capabilities: `{"tools":{},"tasks":{"list":{}}}`}
		silent.onCall = func(*fakeConn, *fakeCall) {}
		a := start(t, nil, s0, s1, silent, &fakeServer{tools: []string{"x"}})
		b := a.join(peer.Hello{Session: "b", Principal: "other"})
		a.greets(`{}`)
		b.greets(`{}`)
		a.ask(toolsList)
		a.ask(call)
		b.ask(call)
		a.ask(strings.Replace(call, "s0__", "s1__", 1))
		pages := func(first, second string) func(*fakeConn, *fakeCall) {
			return func(_ *fakeConn, c *fakeCall) {
				if strings.Contains(c.params, "theirs") {
					go c.result(second)
					return
				}
				go c.result(first)
			}
		}
		s0.set(func() {
			s0.onCall = pages(`{"tasks":[{"taskId":"a1","n":1.0},{"taskId":"a2","x":"EVIL"},7,{"taskId":"b1"}],"nextCursor":"theirs","x":"EVIL"}`,
				`{"tasks":[{"taskId":"unknown"},{"taskId":"a1","again":1}]}`)
		})
		s1.set(func() { s1.onCall = pages(`{"tasks":[{"taskId":"b1"}]}`, ``) })
		list := func(r *rig) []string {
			r.send(tasksList)
			time.Sleep(2 * listTimeout)
			return r.got()
		}
		want := `{"jsonrpc":"2.0","id":4,"result":{"tasks":[{"taskId":"a1","n":1.0},{"taskId":"a1","again":1},{"taskId":"b1"}]}}`
		if got := list(a); !slices.Equal(got, []string{want}) {
			t.Errorf("got %s", got)
		}
		if saw := strings.Join(a.judge.saw(), "\n"); strings.Contains(saw, "EVIL") {
			t.Error("another's task was judged")
		}
		if got := list(b); len(got) != 1 || !strings.Contains(got[0], `"type":"SecurityBlock"`) {
			t.Errorf("got %s", got)
		}
		a.wantPart(strings.Replace(tasksList, `"tasks/list"`, `"tasks/list","params":{"cursor":"theirs"}`, 1), "unknown cursor")
		a.visit("local").wantPart(`{"jsonrpc":"2.0","id":4,"method":"tasks/list","params":{`+modernMeta(`{}`, "")+`}}`, `"code":-32601`)
	})
}

// TestNobodyHasTasks: then nobody knows the method.
func TestNobodyHasTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil, &fakeServer{tools: []string{"x"}})
		r.ask(toolsList)
		r.wantPart(tasksList, `"code":-32601`)
	})
}

// TestWhatTasksAsk is what other messages of the server ask: allowed, marked and
// judged like that.
func TestWhatTasksAsk(t *testing.T) {
	task := func(requests string) string {
		return `{"taskId":"t1","status":"input_required","inputRequests":{` + requests + `}}`
	}
	marked := `"name":{"method":"elicitation/create","params":{"message":"[s0] who?","requestedSchema":{"type":"object","properties":{}},"_meta":{"mcp-relay/server":"s0"}}}`
	for name, tt := range map[string]struct{ requests, want string }{
		"allowed":     {wantsName, marked},
		"not allowed": {wantsDirs, ""},
		"blocked":     {strings.Replace(wantsName, "who?", "EVIL", 1), ""},
		"unknown":     {`"a":{"method":"acme/ask","params":{}}`, ""},
		"nothing":     {``, `"inputRequests":{}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{modern: true, tools: []string{"x"}}
				s.onCall = func(_ *fakeConn, c *fakeCall) {
					if c.method == protocol.TasksGet {
						go c.result(`{"resultType":"complete",` + task(tt.requests)[1:])
						return
					}
					go c.result(`{"resultType":"task","taskId":"t1","status":"working"}`)
				}
				r := start(t, func(o *Options) {
					o.Servers[0].MayAsk = protocol.AllCapabilities &^ protocol.Capabilities(protocol.Roots)
				}, s, &fakeServer{tools: []string{"x"}})
				r.ask(toolsList)
				r.visit("local").ask(modernCall(5, ""))
				got := r.visit("local").ask(`{"jsonrpc":"2.0","id":6,"method":"tasks/get","params":{"taskId":"t1",` + modernMeta(everything, "") + `}}`)
				if len(got) != 1 || strings.Contains(got[0], "inputRequests") != (tt.want != "") || !strings.Contains(got[0], tt.want) {
					t.Errorf("got %s", got)
				}
				v := r.visit("local")
				v.ask(listenFrame("1", `{"taskIds":["t1"]}`))
				l, _ := s.subscription()
				l.says(t, `{"jsonrpc":"2.0","method":"notifications/tasks","params":`+task(tt.requests)+`}`)
				got = v.got()
				if (len(got) == 1) != (tt.want != "") || len(got) == 1 && !strings.Contains(got[0], tt.want) {
					t.Errorf("told %s", got)
				}
				asks := slices.ContainsFunc(r.judge.saw(), func(saw string) bool {
					return strings.HasPrefix(saw, "server_request") && strings.Contains(saw, "inputRequests")
				})
				if asks != (name == "allowed" || name == "blocked") {
					t.Errorf("judged as %s", r.judge.saw())
				}
			})
		})
	}
}
