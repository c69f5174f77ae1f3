package relay

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

// TestEveryRequestComesToAnEnd plays servers that answer, fall silent, die and
// change, and a client that cancels, all at once: each request is answered
// once, or at most once when it was cancelled, and sent at most once.
func TestEveryRequestComesToAnEnd(t *testing.T) {
	const requests = 200
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			dice := &dice{r: rand.New(rand.NewPCG(seed, 0))}
			servers := []*fakeServer{{tools: []string{"x"}}, {tools: []string{"x"}}}
			for _, s := range servers {
				s.onCall = dice.play(t)
			}
			r := start(t, nil, servers...)
			r.judge.dawdle(2 * time.Second)
			r.ask(toolsList)

			cancelled := map[int]bool{}
			for id := range requests {
				word := "quick"
				if dice.roll(3) == 0 {
					word = "SLOW"
				}
				r.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"s%d__x","n":"#%d#","w":%q,"_meta":{"progressToken":"t"}}}`,
					id, dice.roll(2), id, word))
				if dice.roll(4) == 0 {
					time.Sleep(time.Duration(dice.roll(3000)) * time.Millisecond)
				}
				if dice.roll(5) == 0 {
					victim := dice.roll(id + 1)
					cancelled[victim] = true
					go r.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, victim))
				}
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()

			out := r.sink.take()
			for id := range requests {
				answers := 0
				for _, frame := range out {
					if strings.HasPrefix(frame, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,`, id)) {
						answers++
					}
				}
				if answers > 1 || answers == 0 && !cancelled[id] {
					t.Errorf("seed %d: request %d was answered %d times, cancelled %v", seed, id, answers, cancelled[id])
				}
			}
			sent := strings.Join(slices.Concat(servers[0].got(), servers[1].got()), "\n")
			for id := range requests {
				if n := strings.Count(sent, fmt.Sprintf(`tools/call {"name":"x","n":"#%d#"`, id)); n > 1 {
					t.Errorf("seed %d: request %d was sent %d times", seed, id, n)
				}
			}
			for i, s := range r.relay.servers() {
				if n := s.calls.Load(); n != 0 || len(s.open) != 0 || s.deadlines.calls.Len() != 0 {
					t.Errorf("seed %d: server %d keeps %d calls, %d followed, %d watched", seed, i, n, len(s.open), s.deadlines.calls.Len())
				}
			}
			if n := r.client.session.InFlight(); n != 0 {
				t.Errorf("seed %d: %d requests are in flight", seed, n)
			}
		})
	}
}

// dice is safe for concurrent use.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

// play makes what a server does about a call.
func (d *dice) play(t *testing.T) func(c *fakeConn, call *fakeCall) {
	t.Helper()
	return func(c *fakeConn, call *fakeCall) {
		answer := func() { call.result(fmt.Sprintf(`{"w":%q}`, []string{"quick", "SLOW", "EVIL"}[d.roll(3)])) }
		switch d.roll(8) {
		case 0:
			answer()
		case 1, 2:
			time.AfterFunc(time.Duration(d.roll(5000))*time.Millisecond, answer)
		case 3: // never
		case 4:
			go call.reply(peer.Reply{Error: []byte(`{"code":-1,"message":"m"}`)})
		case 5:
			token := memberOf(memberOf(call.params, "_meta"), "progressToken")
			go func() {
				for i := 0; i < 5 && token != ""; i++ {
					c.says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d,"message":"SLOW"}}`,
						token, i))
				}
				answer()
			}()
		case 6:
			go func() {
				c.says(t, `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
				c.says(t, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"SLOW"}}`)
				answer()
			}()
		default:
			if d.roll(5) > 0 {
				go answer()
				return
			}
			c.die()
			go call.reply(peer.Reply{Err: peer.ErrGone})
		}
	}
}
