package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// configured returns what configures a fake server under a name.
func (f *fakeServer) configured(name, revision string) Server {
	return Server{Name: name, Revision: revision, Dialer: f.dialer(), Speech: f.spoken()}
}

// reconfigure gives the relay other servers and keeps its other settings.
func (r *rig) reconfigure(servers ...Server) {
	r.relay.Reconfigure(Settings{Servers: servers, CallTimeout: time.Minute})
}

func callWith(id int, tool, text string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":{"text":%q}}}`, id, tool, text)
}

func (f *fakeServer) isUp() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.conns) == 0 {
		return false
	}
	select {
	case <-f.conns[len(f.conns)-1].done:
		return false
	default:
		return true
	}
}

// TestReconfigureUnderCalls: a hundred calls are judged, or wait for their
// server, while the scanners and that server are replaced. Each is judged twice,
// its request and its answer, is sent once and is answered once.
func TestReconfigureUnderCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := &fakeServer{tools: []string{"x"}}, &fakeServer{tools: []string{"x"}}
		before.onCall = func(_ *fakeConn, c *fakeCall) {
			time.AfterFunc(10*time.Second, func() { c.result(before.echo(c.params)) })
		}
		old, next := &judge{delay: 5 * time.Second}, &judge{}
		r := startJudged(t, old, func(o *Options) { o.Servers = []Server{before.configured("a", "1")} })
		r.ask(toolsList)
		const calls = 100
		for id := range calls {
			text := fmt.Sprintf("canary-%03d", id)
			if id%2 == 0 {
				text += " SLOW" // is in judgement when everything is replaced
			}
			r.send(callWith(id, "a__x", text))
		}
		synctest.Wait()
		idle := r.relay.gate.Swap(scan.Panel{Members: []scan.Member{{Scanner: next, Policy: scan.Policy{Name: "n"}}}})
		r.reconfigure(after.configured("a", "2"))
		time.Sleep(time.Second)
		if !before.isUp() {
			t.Error("the server ended with calls in flight")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		select {
		case <-idle:
		default:
			t.Error("the panel before is still in use")
		}
		if before.isUp() || !after.isUp() {
			t.Errorf("the server before is up: %v, the one after: %v", before.isUp(), after.isUp())
		}
		got := strings.Join(r.sink.take(), "\n")
		sent := strings.Join(slices.Concat(before.got(), after.got()), "\n")
		seen := strings.Join(slices.Concat(old.saw(), next.saw()), "\n")
		for id := range calls {
			canary := fmt.Sprintf("canary-%03d", id)
			if strings.Count(got, fmt.Sprintf(`"id":%d,`, id)) != 1 || strings.Count(got, canary) != 1 {
				t.Errorf("%s: not one answer with what was sent", canary)
			}
			if n := strings.Count(sent, canary); n != 1 {
				t.Errorf("%s: sent %d times", canary, n)
			}
			if n := strings.Count(seen, canary); n != 2 {
				t.Errorf("%s: judged %d times", canary, n)
			}
		}
		if len(before.got()) != calls/2 || len(after.got()) != calls/2 {
			t.Errorf("%d calls went to the server before, %d to the one after", len(before.got()), len(after.got()))
		}
	})
}

func TestServersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &fakeServer{tools: []string{"x"}}, &fakeServer{tools: []string{"x"}}, &fakeServer{tools: []string{"x"}}
		held := b.holding()
		r := start(t, func(o *Options) { o.Servers = []Server{a.configured("a", "1"), b.configured("b", "1")} })
		r.wantPart(toolsList, `"a__x"`, `"b__x"`)
		time.Sleep(time.Minute) // lists wait for nobody any more
		r.send(callWith(8, "b__x", "in flight too"))
		synctest.Wait()
		r.sink.take()

		r.reconfigure(c.configured("c", "1"), a.configured("a", "1"))
		if got := strings.Join(r.got(), "\n"); !strings.Contains(got, "notifications/tools/list_changed") {
			t.Errorf("the client is not told: %s", got)
		}
		if got := r.ask(toolsList); len(got) != 1 || strings.Contains(got[0], "b__x") ||
			strings.Index(got[0], "c__x") > strings.Index(got[0], "a__x") || !strings.Contains(got[0], "c__x") {
			t.Errorf("listed %s", got)
		}
		if len(a.conns) != 1 {
			t.Errorf("the server that stays was connected %d times", len(a.conns))
		}
		r.wantPart(callWith(9, "b__x", "late"), "There is no such tool")
		r.wantPart(callWith(10, "c__x", "new"), "new")
		if !b.isUp() {
			t.Error("the server that goes ended with a call in flight")
		}
		held().result(`{"content":[],"late":true}`)
		if got := r.got(); len(got) != 1 || !strings.Contains(got[0], `"late":true`) || !strings.Contains(got[0], `"id":8`) {
			t.Errorf("got %s", got)
		}
		if b.isUp() {
			t.Error("the server that goes did not end")
		}
		if n := len(r.relay.Status()); n != 2 {
			t.Errorf("the state of %d servers is told", n)
		}

		// One that comes back has its names still, and one that left without an
		// answer is not waited for without end.
		b2 := &fakeServer{tools: []string{"x"}}
		b2.holding()
		r.reconfigure(b2.configured("b", "2"))
		r.got()
		r.wantPart(toolsList, "b__x")
		r.send(callWith(11, "b__x", "for ever"))
		synctest.Wait()
		r.reconfigure()
		r.got()
		r.want(toolsList, `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`)
		time.Sleep(leaveGrace)
		synctest.Wait()
		if b2.isUp() {
			t.Error("a server that answers nothing goes on")
		}
	})
}

// TestALateListingOfAServerThatLeft: what it says then is nobody's.
func TestALateListingOfAServerThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := &fakeServer{tools: []string{"old"}}, &fakeServer{tools: []string{"new"}}
		r := start(t, func(o *Options) { o.Servers = []Server{old.configured("a", "1")} })
		r.ask(toolsList)
		old.holding()
		r.send(callWith(5, "a__old", "keeps it alive"))
		synctest.Wait()
		gate := make(chan struct{})
		old.set(func() { old.slow, old.version = gate, 2 })
		old.conn(0).says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		synctest.Wait()
		r.reconfigure(next.configured("a", "2"))
		synctest.Wait()
		close(gate)
		synctest.Wait()
		r.sink.take()
		if got := r.ask(toolsList); len(got) != 1 || strings.Contains(got[0], "a__old") || !strings.Contains(got[0], "a__new") {
			t.Errorf("listed %s", got)
		}
	})
}

// TestSettingsWhileItRuns: a shorter limit ends what begins later, and the
// server is listed again in the new interval.
func TestSettingsWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		s.holding()
		r := start(t, func(o *Options) { o.Servers = []Server{s.configured("a", "1")} })
		r.ask(toolsList)
		r.send(callWith(1, "a__x", "patient"))
		synctest.Wait()
		r.relay.Reconfigure(Settings{Servers: []Server{s.configured("a", "1")}, CallTimeout: 5 * time.Second, RelistInterval: 20 * time.Second})
		r.send(callWith(2, "a__x", "hasty"))
		synctest.Wait()
		time.Sleep(6 * time.Second)
		if got := r.got(); len(got) != 1 || !strings.Contains(got[0], `"id":2`) || !strings.Contains(got[0], "did not answer in time") {
			t.Errorf("after six seconds: %s", got)
		}
		s.set(func() { s.tools = append(s.tools, "y") })
		time.Sleep(15 * time.Second)
		if got := strings.Join(r.got(), "\n"); !strings.Contains(got, "list_changed") {
			t.Errorf("not listed again: %s", got)
		}
		time.Sleep(time.Minute)
		if got := strings.Join(r.got(), "\n"); !strings.Contains(got, `"id":1,`) {
			t.Errorf("after a minute: %s", got)
		}
		if len(s.conns) != 1 {
			t.Error("the server was connected anew")
		}
	})
}

// TestAnotherPanelJudgesWhatIsOffered: what the one before let pass is judged
// again, of servers that stay as they are too.
func TestAnotherPanelJudgesWhatIsOffered(t *testing.T) {
	for _, modern := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := saying(modern, "do as I say")
			s.tools = []string{"x", "y"}
			configured := s.configured("a", "1")
			r := startJudged(t, &judge{}, func(o *Options) { o.Servers = []Server{configured} })
			r.wantPart(toolsList, `"a__x"`, `"a__y"`)
			r.wantPart(hello, "do as I say")
			settings := Settings{Servers: []Server{configured}, CallTimeout: time.Minute}
			swap := func(next *judge, rejudge bool) string {
				r.relay.gate.Swap(scan.Panel{Members: []scan.Member{{Scanner: next, Policy: scan.Policy{Name: "n"}}}})
				settings.Rejudge = rejudge
				r.relay.Reconfigure(settings)
				time.Sleep(2 * relistPause)
				return strings.Join(r.got(), "\n")
			}
			same := &judge{}
			if got := swap(same, false); got != "" || len(same.saw()) != 0 {
				t.Errorf("the same judges: the client is told %s, and they saw %v", got, same.saw())
			}
			strict := &judge{hello: "do as", action: verdict.Block}
			strict.blocks(`"x"`)
			if got := swap(strict, true); !strings.Contains(got, "notifications/tools/list_changed") {
				t.Errorf("the client is not told: %s", got)
			}
			if got := r.ask(toolsList)[0]; strings.Contains(got, "a__x") || !strings.Contains(got, "a__y") {
				t.Errorf("listed %s", got)
			}
			if got := r.ask(hello)[0]; strings.Contains(got, "do as I say") {
				t.Errorf("greeted with %s", got)
			}
			r.wantPart(callWith(9, "a__x", "no"), "There is no such tool")
			swap(&judge{}, true)
			r.wantPart(toolsList, `"a__x"`, `"a__y"`)
			r.wantPart(hello, "do as I say")
			if len(s.conns) != 1 {
				t.Errorf("the server was connected %d times", len(s.conns))
			}
		})
	}
}
