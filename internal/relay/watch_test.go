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

// library is a server with resources.
func library(modern bool) *fakeServer {
	s := &fakeServer{modern: modern, capabilities: `{"resources":{"subscribe":true,"listChanged":true}}`, answers: map[string]string{
		protocol.ResourcesList: `{"resources":[{"uri":"file:///a","name":"a"},{"uri":"file:///b","name":"b"},{"uri":"file:///dir","name":"d"}],"resultType":"complete"}`,
		protocol.TemplatesList: `{"resourceTemplates":[],"resultType":"complete"}`,
	}}
	s.onCall = func(_ *fakeConn, c *fakeCall) { go c.result(`{}`) }
	return s
}

func watchFrame(id int, method, uri string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":{"uri":%q}}`, id, method, uri)
}

func updated(uri string) string {
	return `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"` + uri + `"}}`
}

const resourcesList = `{"jsonrpc":"2.0","id":1,"method":"resources/list"}`

// about returns what a server got about subscriptions since it was last asked.
func (f *fakeServer) about() []string {
	return slices.DeleteFunc(f.took(), func(m string) bool {
		return !strings.HasPrefix(m, "resources/s") && !strings.HasPrefix(m, "resources/u")
	})
}

// TestSubscriptionsAreShared: the server knows one client, and those who share
// it hear what they want.
func TestSubscriptionsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := library(false)
		a := start(t, nil, s)
		b := a.join(peer.Hello{Session: "b", Principal: "other"})
		a.greets(`{}`)
		b.greets(`{}`)
		a.ask(resourcesList)
		a.want(watchFrame(2, protocol.Subscribe, "file:///a"), `{"jsonrpc":"2.0","id":2,"result":{}}`)
		b.ask(watchFrame(2, protocol.Subscribe, "file:///a"))
		b.ask(watchFrame(3, protocol.Subscribe, "file:///dir"))
		s.about()
		hears := func(uri string, wantA, wantB bool) {
			t.Helper()
			s.conn(0).says(t, updated(uri))
			gotA, gotB := a.got(), b.got()
			if (len(gotA) == 1) != wantA || (len(gotB) == 1) != wantB || len(gotA) > 1 || len(gotB) > 1 {
				t.Errorf("%s: got %s and %s", uri, gotA, gotB)
			}
		}
		hears("file:///a", true, true)
		hears("file:///b", false, false)
		hears("file:///dir/x", false, true)
		hears("file:///directory", false, false)
		// Who does not watch cannot end it, and who is not the last ends it for
		// himself.
		a.want(watchFrame(4, protocol.Unsubscribe, "file:///dir"), `{"jsonrpc":"2.0","id":4,"result":{}}`)
		a.want(watchFrame(5, protocol.Unsubscribe, "file:///a"), `{"jsonrpc":"2.0","id":5,"result":{}}`)
		if got := s.about(); len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
		hears("file:///a", false, true)
		b.ask(watchFrame(6, protocol.Unsubscribe, "file:///a"))
		if got := s.about(); !slices.Equal(got, []string{`resources/unsubscribe {"uri":"file:///a"}`}) {
			t.Errorf("the server got %s", got)
		}
		hears("file:///a", false, false)
		b.client.Close()
		synctest.Wait()
		if got := s.about(); !slices.Equal(got, []string{`resources/unsubscribe {"uri":"file:///dir"}`}) {
			t.Errorf("the server got %s", got)
		}
		if len(a.relay.hub.watched) != 0 {
			t.Errorf("%d are watched", len(a.relay.hub.watched))
		}
	})
}

// TestAnUpdateIsJudged like everything.
func TestAnUpdateIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := library(false)
		a := start(t, nil, s)
		a.greets(`{}`)
		a.ask(resourcesList)
		a.ask(watchFrame(2, protocol.Subscribe, "file:///dir"))
		s.conn(0).says(t, updated("file:///dir/EVIL"))
		if got := a.got(); len(got) != 0 {
			t.Errorf("got %s", got)
		}
	})
}

// TestASubscriptionThatIsNotGranted is none.
func TestASubscriptionThatIsNotGranted(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(r *rig, c *fakeCall)
		told   []string
	}{
		"refused": {func(_ *rig, c *fakeCall) { go c.fails(`{"code":-32602,"message":"no"}`) }, []string{`"code":-32602`}},
		"blocked": {func(_ *rig, c *fakeCall) { go c.result(`{"x":"EVIL"}`) }, []string{`"code":-32011`}},
		"cancelled": {func(r *rig, _ *fakeCall) {
			go r.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
		}, nil},
		"left": {func(r *rig, _ *fakeCall) { go r.client.Close() }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := library(false)
				r := start(t, nil, s)
				r.greets(`{}`)
				r.ask(resourcesList)
				s.set(func() {
					s.onCall = func(_ *fakeConn, c *fakeCall) {
						if c.method == protocol.Subscribe {
							tt.answer(r, c)
							return
						}
						go c.result(`{}`)
					}
				})
				got := r.ask(watchFrame(2, protocol.Subscribe, "file:///a"))
				if len(got) != len(tt.told) || len(got) == 1 && !strings.Contains(got[0], tt.told[0]) {
					t.Errorf("got %s", got)
				}
				if r.relay.hub.isWatched(resource{"s0", "file:///a"}) {
					t.Error("it is watched")
				}
				s.conn(0).says(t, updated("file:///a"))
				if got := r.got(); len(got) != 0 {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}

// TestSubscribeAndUnsubscribeCross: whoever comes while the last one leaves
// hears of changes.
func TestSubscribeAndUnsubscribeCross(t *testing.T) {
	for _, leaving := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := library(false)
			a := start(t, nil, s)
			b := a.join(peer.Hello{Session: "b", Principal: "local"})
			a.greets(`{}`)
			b.greets(`{}`)
			a.ask(resourcesList)
			a.ask(watchFrame(2, protocol.Subscribe, "file:///a"))
			var waiting []*fakeCall
			subscribed := true
			s.set(func() { s.onCall = func(_ *fakeConn, c *fakeCall) { waiting = append(waiting, c) } })
			// The server takes what it was sent in the worst order.
			if leaving {
				a.client.Close()
			} else {
				a.ask(watchFrame(3, protocol.Unsubscribe, "file:///a"))
			}
			b.ask(watchFrame(2, protocol.Subscribe, "file:///a"))
			slices.Reverse(waiting)
			for len(waiting) > 0 {
				c := waiting[0]
				waiting = waiting[1:]
				subscribed = c.method == protocol.Subscribe
				c.result(`{}`)
				synctest.Wait()
			}
			if !subscribed {
				t.Errorf("leaving %v: the server watches nothing", leaving)
			}
		})
	}
}

// TestSubscriptionsOutliveTheirServer: it is asked again when it is back.
func TestSubscriptionsOutliveTheirServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := library(false)
		r := start(t, nil, s)
		r.greets(`{}`)
		r.ask(resourcesList)
		r.ask(watchFrame(2, protocol.Subscribe, "file:///a"))
		s.about()
		s.conn(0).die()
		time.Sleep(5 * time.Second)
		if got := s.about(); !slices.Equal(got, []string{`resources/subscribe {"uri":"file:///a"}`}) {
			t.Errorf("the server got %s", got)
		}
		r.got()
		s.conn(1).says(t, updated("file:///a"))
		if got := r.got(); len(got) != 1 {
			t.Errorf("got %s", got)
		}
	})
}

// TestALegacyClientWatchesAModernServer, whose subscription is made anew.
func TestALegacyClientWatchesAModernServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := library(true)
		r := start(t, nil, s)
		r.greets(`{}`)
		r.ask(resourcesList)
		first, open := s.subscription()
		if open != 1 || memberOf(first.params, "notifications") != `{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true}` {
			t.Fatalf("%d subscriptions, %s", open, first.params)
		}
		r.want(watchFrame(2, protocol.Subscribe, "file:///a"), `{"jsonrpc":"2.0","id":2,"result":{}}`)
		second, open := s.subscription()
		if open != 1 || second == first || !strings.Contains(second.params, `"resourceSubscriptions":["file:///a"]`) {
			t.Fatalf("%d subscriptions, %s", open, second.params)
		}
		second.says(t, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///a","_meta":{"io.modelcontextprotocol/subscriptionId":`+second.id.Raw()+`}}}`)
		if got := r.got(); !slices.Equal(got, []string{updated("file:///a")}) {
			t.Errorf("got %s", got)
		}
		r.want(watchFrame(3, protocol.Unsubscribe, "file:///a"), `{"jsonrpc":"2.0","id":3,"result":{}}`)
		third, open := s.subscription()
		if open != 1 || third == second || strings.Contains(third.params, "file:///a") {
			t.Errorf("%d subscriptions, %s", open, third.params)
		}
		if got := s.about(); len(got) != 0 {
			t.Errorf("the server got %s", got)
		}
		// One that ends is opened again, and what it missed is asked for.
		third.result(`{"resultType":"complete"}`)
		time.Sleep(5 * time.Second)
		if fourth, open := s.subscription(); open != 1 || fourth == third {
			t.Errorf("%d subscriptions", open)
		}
	})
}

// TestTooManyAreWatched by one client.
func TestTooManyAreWatched(t *testing.T) {
	h := &hub{}
	for i := range maxWatched {
		if added, ok := h.watch(resource{"s", fmt.Sprint(i)}, &listen{}); !added || !ok {
			t.Fatal("the limit is for all")
		}
	}
	one := &listen{filter: protocol.Filter{Tools: true}}
	for i := range maxWatched {
		h.watch(resource{"s", fmt.Sprint(i)}, one)
	}
	if _, ok := h.watch(resource{"s", "one more"}, one); ok {
		t.Error("above the limit")
	}
	if added, ok := h.watch(resource{"s", "0"}, one); added || !ok {
		t.Error("what is watched is watched")
	}
	if idle := h.leave(one); len(idle) != 0 {
		t.Errorf("%d are idle", len(idle))
	}
}
