package relay

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// origins sees from where what is judged comes.
type origins struct {
	mu  sync.Mutex
	all []verdict.Content
}

func (o *origins) Scan(_ context.Context, c verdict.Content) (verdict.Verdict, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if c.Phase != verdict.Definition {
		o.all = append(o.all, c)
	}
	return verdict.Verdict{Action: verdict.Allow}, nil
}

// gate returns a gate at which nobody else judges.
func (o *origins) gate(t *testing.T) *scan.Gate {
	g := scan.New(scan.Options{
		Panel:    scan.Panel{Members: []scan.Member{{Scanner: o, Policy: scan.Policy{Name: "o"}}}},
		Recorder: &auditRecords{}, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(g.Close)
	return g
}

// took returns the phases that were judged, sorted, and the only session and call that
// all of them named.
func (o *origins) took(t *testing.T) (phases, session, call string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for i := range o.all {
		c := &o.all[i]
		names = append(names, c.Phase.String())
		if i > 0 && (c.Origin.Session != session || c.Origin.Call != call) || c.Origin.Session == "" || c.Origin.Call == "" {
			t.Errorf("%s has session %q and call %q, want %q and %q", c.Phase, c.Origin.Session, c.Origin.Call, session, call)
		}
		session, call = c.Origin.Session, c.Origin.Call
	}
	o.all = nil
	slices.Sort(names)
	return strings.Join(names, " "), session, call
}

// Everything that belongs to one call is judged under one id, and all calls of a
// conversation under one session, whatever client and server speak: scanners
// tell by that what belongs together.
func TestOneCallIsOneTransaction(t *testing.T) {
	const told = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%,"progress":1,"message":"m"}}`
	for _, modern := range []bool{false, true} {
		name := map[bool]string{false: "legacy", true: "modern"}[modern]
		t.Run("server "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{tools: []string{"x"}, modern: modern}
				held := s.holding()
				o := &origins{}
				r := start(t, func(options *Options) {
					options.Gate = o.gate(t)
				}, s)
				r.greets(everything)
				r.ask(toolsList)
				complete := `{"content":[]}`
				if modern {
					complete = `{"content":[],"resultType":"complete"}`
				}
				calls := map[string]bool{}
				for _, number := range []string{"1", "2"} {
					r.send(strings.Replace(call, `"arguments":{"a":9007199254740993}`, `"arguments":{},"_meta":{"progressToken":"p"}`, 1))
					synctest.Wait()
					held().says(t, strings.Replace(told, "%", number, 1))
					want := "notification request request response server_request"
					if modern {
						held().result(`{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"who?","requestedSchema":{"type":"object","properties":{}}}}},"requestState":"st"}`)
						// The answer goes along with the request that is sent again.
					} else {
						held().says(t, elicit)
					}
					got := r.got()
					id := regexp.MustCompile(`"id":("[^"]*"|\d+),"method":"elicitation/create"`).FindStringSubmatch(strings.Join(got, "\n"))
					if id == nil {
						t.Fatalf("got %s", got)
					}
					r.replies(id[1], `{"action":"decline"}`)
					held().result(complete)
					if got := r.got(); len(got) != 1 {
						t.Fatalf("got %s", got)
					}
					phases, session, call := o.took(t)
					if phases != want || session != "sess" || calls[call] {
						t.Errorf("%s in session %s and call %s", phases, session, call)
					}
					calls[call] = true
				}
			})
		})
	}
}

// Requests of a modern client over HTTP are sessions of their own that share a
// conversation; the second half of a parked call keeps the call's id.
func TestModernRequestsShareAConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		o := &origins{}
		r := start(t, func(options *Options) {
			options.Gate = o.gate(t)
		}, s)
		visit := func(session string) *rig {
			return r.join(peer.Hello{Session: session, Conversation: "talk", Principal: "local", Stateless: true, Mirrored: map[string]string{}})
		}
		v := visit("one")
		v.send(modernCall(5, ""))
		synctest.Wait()
		held().says(t, elicit)
		_, state := wanted(t, v.later(gather))
		w := visit("two")
		w.send(again(6, state, `{"q1":{"action":"decline"}}`))
		synctest.Wait()
		held().result(`{"content":[]}`)
		if got := w.got(); len(got) != 1 {
			t.Fatalf("got %s", got)
		}
		if phases, session, _ := o.took(t); phases != "request request response server_request" || session != "talk" {
			t.Errorf("%s in session %s", phases, session)
		}
	})
}
