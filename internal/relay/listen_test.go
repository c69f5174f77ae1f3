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
	"github.com/mcp-relay/relay/internal/registry"
)

func listenFrame(id, filter string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"subscriptions/listen","params":{"notifications":` + filter + `,` + modernMeta(`{}`, "") + `}}`
}

func acknowledged(id, filter string) string {
	return `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":` + filter +
		`,"_meta":{"io.modelcontextprotocol/subscriptionId":` + id + `}}}`
}

// TestListen: the acknowledgement comes first, says what is granted, and each
// notification bears the subscription's id.
func TestListen(t *testing.T) {
	for _, modern := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := library(modern)
			r := start(t, nil, s, &fakeServer{tools: []string{"x"}})
			r.ask(resourcesList)
			a, b := r.visit("local"), r.visit("local")
			got := a.ask(listenFrame(`"l1"`, `{"resourcesListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["file:///b","file:///nowhere","file:///a"]}`))
			if !slices.Equal(got, []string{acknowledged(`"l1"`, `{"resourcesListChanged":true,"resourceSubscriptions":["file:///b","file:///a"]}`)}) {
				t.Fatalf("modern %v: got %s", modern, got)
			}
			b.want(listenFrame("2", `{"toolsListChanged":true}`), acknowledged("2", `{"toolsListChanged":true}`))
			say := func(frame string) {
				t.Helper()
				if modern {
					l, _ := s.subscription()
					l.says(t, frame)
				} else {
					s.conn(0).says(t, frame)
				}
				time.Sleep(2 * time.Second)
			}
			say(updated("file:///a"))
			say(updated("file:///c"))
			say(`{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}`)
			tag := `"_meta":{"io.modelcontextprotocol/subscriptionId":"l1"}}}`
			want := []string{
				`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///a",` + tag,
				`{"jsonrpc":"2.0","method":"notifications/resources/list_changed","params":{` + tag,
			}
			if about := a.sink.about(); !slices.Equal(about, []string{`"l1"`, `"l1"`}) {
				t.Errorf("modern %v: of %s", modern, about)
			}
			if got := a.got(); !slices.Equal(got, want) {
				t.Errorf("modern %v: got %s", modern, got)
			}
			if got := b.got(); len(got) != 0 {
				t.Errorf("modern %v: the other got %s", modern, got)
			}
			s.about()
			a.client.Close()
			synctest.Wait()
			if modern {
				if l, open := s.subscription(); open != 1 || strings.Contains(l.params, "file:///") {
					t.Errorf("%d subscriptions, %s", open, l.params)
				}
			} else if got := s.about(); len(got) != 2 || !strings.HasPrefix(got[0], protocol.Unsubscribe) {
				t.Errorf("the server got %s", got)
			}
			b.client.Close()
			if n := len(r.relay.hub.listens) + len(r.relay.hub.watched); n != 0 {
				t.Errorf("%d are left", n)
			}
		})
	}
}

// TestNothingPrecedesTheAcknowledgement, whatever happens while servers are
// asked.
func TestNothingPrecedesTheAcknowledgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := library(false)
		r := start(t, nil, s)
		r.ask(resourcesList)
		release := make(chan struct{})
		s.set(func() {
			s.onCall = func(c *fakeConn, fc *fakeCall) {
				go func() {
					c.says(t, updated("file:///a"))
					<-release
					fc.result(`{}`)
				}()
			}
		})
		a := r.visit("local")
		a.send(listenFrame("1", `{"resourcesListChanged":true,"resourceSubscriptions":["file:///a"]}`))
		synctest.Wait()
		r.relay.listChanged([]registry.Kind{registry.Resources})
		close(release)
		synctest.Wait()
		if got := a.got(); len(got) != 2 || !strings.Contains(got[0], "acknowledged") || !strings.Contains(got[1], "file:///a") {
			t.Errorf("got %s", got)
		}
	})
}

// TestWhatIsNotGranted: servers that refuse, filters that are judged, and those
// that are none.
func TestWhatIsNotGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := library(false)
		s.answers[protocol.ResourcesList] = `{"resources":[{"uri":"file:///a","name":"a"},{"uri":"file:///EVIL","name":"b"}]}`
		r := start(t, nil, s)
		r.ask(resourcesList)
		r.visit("local").want(listenFrame("1", `{"resourceSubscriptions":["file:///a","file:///EVIL"]}`), acknowledged("1", `{}`))
		s.set(func() { s.onCall = func(_ *fakeConn, c *fakeCall) { go c.fails(`{"code":-1,"message":"no"}`) } })
		r.visit("local").want(listenFrame("1", `{"resourceSubscriptions":["file:///a"]}`), acknowledged("1", `{}`))
		for _, filter := range []string{`[]`, `{"toolsListChanged":"yes"}`, `{"resourceSubscriptions":"file:///a"}`, `null`} {
			r.visit("local").wantPart(listenFrame("1", filter), `"code":-32602`)
		}
		if n := len(r.relay.hub.watched); n != 0 {
			t.Errorf("%d are watched", n)
		}
		if got := r.ask(`{"jsonrpc":"2.0","id":9,"method":"subscriptions/listen","params":{"notifications":{}}}`); len(got) != 1 || !strings.Contains(got[0], `"code":-32602`) {
			t.Errorf("a legacy client got %s", got)
		}
	})
}

// TestAClientThatLeavesWhileItSubscribes leaves nothing behind.
func TestAClientThatLeavesWhileItSubscribes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := library(false)
		r := start(t, nil, s)
		r.ask(resourcesList)
		var waiting *fakeCall
		s.set(func() { s.onCall = func(_ *fakeConn, c *fakeCall) { waiting = c } })
		a := r.visit("local")
		a.ask(listenFrame("1", `{"resourceSubscriptions":["file:///a"]}`))
		subscribing := waiting
		a.client.Close()
		synctest.Wait()
		subscribing.result(`{}`)
		synctest.Wait()
		if n := len(r.relay.hub.listens) + len(r.relay.hub.watched); n != 0 {
			t.Errorf("%d are left", n)
		}
		if got := a.got(); len(got) != 0 && strings.Contains(got[0], "uri") {
			t.Errorf("got %s", got)
		}
	})
}

// TestDrainEndsSubscriptions with an answer.
func TestDrainEndsSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil, library(false))
		r.ask(resourcesList)
		a := r.visit("local")
		a.ask(listenFrame("1", `{"toolsListChanged":true}`))
		if err := a.client.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		want := `{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}`
		if got := a.got(); !slices.Equal(got, []string{want}) {
			t.Errorf("got %s", got)
		}
	})
}

// TestListChangedGoesToThoseWhoWantIt: legacy clients that have said something
// and subscriptions, nobody else.
func TestListChangedGoesToThoseWhoWantIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := start(t, nil, s)
		silent := r.join(peer.Hello{Session: "silent", Principal: "local"})
		r.greets(`{}`)
		r.ask(toolsList)
		wants, other := r.visit("local"), r.visit("local")
		wants.ask(listenFrame("1", `{"toolsListChanged":true}`))
		other.ask(listenFrame("1", `{"promptsListChanged":true,"resourcesListChanged":true}`))
		s.set(func() { s.version = 1 })
		s.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		time.Sleep(2 * time.Second)
		for name, tt := range map[string]struct {
			r *rig
			n int
		}{"legacy": {r, 1}, "silent": {silent, 0}, "subscription": {wants, 1}, "other subscription": {other, 0}} {
			if got := tt.r.got(); len(got) != tt.n {
				t.Errorf("%s: got %s", name, got)
			}
		}
	})
}

// TestTasksThatAreFollowed: a subscription hears of the tasks that are the
// client's, and of no others.
func TestTasksThatAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{modern: true, tools: []string{"x"}}
		n := 0
		s.onCall = func(_ *fakeConn, c *fakeCall) {
			n++
			go c.result(fmt.Sprintf(`{"resultType":"task","taskId":"t%d","status":"working"}`, n))
		}
		r := start(t, nil, s)
		r.ask(toolsList)
		r.visit("local").ask(modernCall(5, ""))
		r.visit("other").ask(modernCall(5, ""))
		a := r.visit("local")
		a.want(listenFrame("1", `{"taskIds":["t1","t2","t3"]}`), acknowledged("1", `{"taskIds":["t1"]}`))
		l, open := s.subscription()
		if open != 1 || !strings.Contains(l.params, `"taskIds":["t1"]`) {
			t.Errorf("%d subscriptions, %s", open, l.params)
		}
		for _, id := range []string{"t1", "t2"} {
			l.says(t, `{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"`+id+`","status":"completed"}}`)
		}
		want := `{"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":"t1","status":"completed","_meta":{"io.modelcontextprotocol/subscriptionId":1}}}`
		if got := a.got(); !slices.Equal(got, []string{want}) {
			t.Errorf("got %s", got)
		}
	})
}
