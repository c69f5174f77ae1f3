package relay

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// bazaar plays servers of both eras that ask, log, fall silent and die, and
// clients of both that answer, cancel, come back and leave.
type bazaar struct {
	*dice

	t       *testing.T
	mu      sync.Mutex
	number  int
	waiting map[string]func() // what a legacy server does once it has an answer, by id
}

// legacy makes what a legacy server does about a call.
func (b *bazaar) legacy(c *fakeConn, call *fakeCall) {
	if call.method != protocol.ToolsCall {
		go call.result(`{}`)
		return
	}
	play := b.play(b.t)
	if b.roll(2) == 0 {
		play(c, call)
		return
	}
	b.mu.Lock()
	b.number++
	id := fmt.Sprint(b.number)
	b.waiting[id] = func() { play(c, call) }
	b.mu.Unlock()
	frame := strings.Replace(elicit, `"id":7`, `"id":`+id, 1)
	switch b.roll(4) {
	case 0: // nobody can tell whose this is
		go func() { c.says(b.t, frame) }()
	case 1: // and then it changes its mind
		go func() {
			call.says(b.t, frame)
			time.Sleep(time.Duration(b.roll(100)) * time.Millisecond)
			c.says(b.t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+id+`}}`)
			play(c, call)
		}()
	default:
		go func() { call.says(b.t, frame) }()
	}
}

func (b *bazaar) answered(_ *fakeConn, id string) {
	b.mu.Lock()
	next := b.waiting[id]
	delete(b.waiting, id)
	b.mu.Unlock()
	if next != nil {
		next()
	}
}

// modern makes what a modern server does about a call.
func (b *bazaar) modern(c *fakeConn, call *fakeCall) {
	if b.roll(2) == 0 {
		b.play(b.t)(c, call)
		return
	}
	requests := []string{wantsName, wantsText, wantsDirs}[:b.roll(4)]
	go call.result(input(fmt.Sprintf(`"s%d"`, b.roll(9)), requests...))
}

// client answers what a legacy client is asked, or not.
func (b *bazaar) client(r *rig) func(string) {
	return func(frame string) {
		m, err := jsonrpc.Parse([]byte(frame), protocol.Message())
		if err != nil || m.Kind() != jsonrpc.Request {
			return
		}
		time.Sleep(time.Duration(b.roll(200)) * time.Millisecond)
		answer := map[string]string{
			protocol.Elicit: `{"action":"accept"}`, protocol.ListRoots: `{"roots":[]}`,
			protocol.CreateMessage: `{"role":"assistant","content":{"type":"text","text":"x"},"model":"m"}`,
		}[m.Method]
		switch b.roll(8) {
		case 0: // the person is out
			time.Sleep(time.Hour)
			fallthrough
		case 1:
			r.send(`{"jsonrpc":"2.0","id":` + m.ID.Raw() + `,"error":{"code":-1,"message":"no"}}`)
		default:
			r.send(`{"jsonrpc":"2.0","id":` + m.ID.Raw() + `,"result":` + answer + `}`)
		}
	}
}

// visitor sends a modern request and comes back as often as it is told to, or
// leaves. It returns how often it was answered, and whether it left.
func (b *bazaar) visitor(r *rig, server int, done func(answers int, left bool)) {
	rest := ""
	for range 20 {
		v := r.visit("local")
		answers := make(chan string, 4)
		v.sink.react = func(frame string) {
			if strings.Contains(frame, `"id":5,`) {
				answers <- frame
			}
		}
		v.send(strings.Replace(modernCall(5, rest), "s0__", fmt.Sprintf("s%d__", server), 1))
		if b.roll(6) == 0 {
			time.Sleep(time.Duration(b.roll(3000)) * time.Millisecond)
			v.client.Close()
			done(0, true)
			return
		}
		var answer string
		select {
		case answer = <-answers:
		case <-time.After(time.Hour):
			done(0, false)
			return
		}
		time.Sleep(time.Second)
		v.client.Close()
		if n := len(answers); n != 0 {
			done(1+n, false)
			return
		}
		if !strings.Contains(answer, "input_required") {
			done(1, false)
			return
		}
		if b.roll(8) == 0 {
			done(0, true) // never comes back
			return
		}
		state := unquoted(memberOf(memberOf(answer, "result"), "requestState"))
		rest = `,"inputResponses":{"q1":{"action":"accept"},"name":{"action":"accept"}},"requestState":"` + state + `"`
	}
	done(1, false)
}

// TestBothErasComeToAnEnd: each request is answered once, or at most once when
// its client left, and nothing is left behind.
func TestBothErasComeToAnEnd(t *testing.T) {
	const requests = 60
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			b := &bazaar{dice: &dice{r: rand.New(rand.NewPCG(seed, 1))}, t: t, waiting: map[string]func(){}}
			servers := []*fakeServer{{tools: []string{"x"}, onAnswer: b.answered}, {modern: true, tools: []string{"x"}}}
			servers[0].onCall, servers[1].onCall = b.legacy, b.modern
			r := start(t, nil, servers...)
			r.judge.dawdle(2 * time.Second)
			second := r.join(peer.Hello{Session: "second", Principal: "local"})
			for _, c := range []*rig{r, second} {
				c.greets(everything)
				c.sink.react = b.client(c)
			}
			r.ask(toolsList)
			r.sink.take()
			cancelled := map[string]bool{}
			var wg sync.WaitGroup
			for id := range requests {
				for name, c := range map[string]*rig{"first": r, "second": second} {
					c.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"s%d__x","_meta":{"progressToken":"t"}}}`, 1000+id, b.roll(2)))
					if b.roll(6) == 0 {
						cancelled[fmt.Sprint(name, id)] = true
						time.Sleep(time.Duration(b.roll(1000)) * time.Millisecond)
						c.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, 1000+id))
					}
				}
				wg.Go(func() {
					b.visitor(r, b.roll(2), func(answers int, left bool) {
						if answers > 1 || answers == 0 && !left {
							t.Errorf("seed %d: a modern request was answered %d times", seed, answers)
						}
					})
				})
				time.Sleep(time.Duration(b.roll(500)) * time.Millisecond)
			}
			wg.Wait()
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			for name, c := range map[string]*rig{"first": r, "second": second} {
				out := c.sink.take()
				for id := range requests {
					answers := 0
					for _, frame := range out {
						if strings.HasPrefix(frame, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,`, 1000+id)) {
							answers++
						}
					}
					if answers > 1 || answers == 0 && !cancelled[fmt.Sprint(name, id)] {
						t.Errorf("seed %d: request %d of the %s was answered %d times", seed, id, name, answers)
					}
				}
				if n := c.client.session.InFlight(); n != 0 {
					t.Errorf("seed %d: %d requests of the %s are in flight", seed, n, name)
				}
			}
			for i, s := range r.relay.servers() {
				if n := s.calls.Load(); n != 0 || len(s.open) != 0 || s.deadlines.calls.Len() != 0 {
					t.Errorf("seed %d: server %d keeps %d calls, %d followed, %d watched", seed, i, n, len(s.open), s.deadlines.calls.Len())
				}
				if n := len(s.current.Load().questions.open); n != 0 {
					t.Errorf("seed %d: %d questions of server %d are open", seed, n, i)
				}
			}
			if n := r.relay.lot.Len(); n != 0 {
				t.Errorf("seed %d: %d calls are parked", seed, n)
			}
		})
	}
}
