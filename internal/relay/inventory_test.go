package relay

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/verdict"
)

// surveyor notes with which inventory each server's tools were judged.
type surveyor struct {
	judge *judge

	mu   sync.Mutex
	seen map[string][]verdict.Offered
	when map[string]time.Time
}

func (s *surveyor) Scan(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
	if c.Origin.Method == protocol.ToolsList {
		s.mu.Lock()
		s.seen[c.Origin.Server], s.when[c.Origin.Server] = c.Inventory, time.Now()
		s.mu.Unlock()
	}
	return s.judge.Scan(ctx, c)
}

// after has a server list its tools only after a while.
func (f *fakeServer) after(d time.Duration) {
	f.slow = make(chan struct{})
	time.AfterFunc(d, func() { close(f.slow) })
}

func TestInventoryOfOthers(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "a bit later": time.Second, "too late": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one := &fakeServer{tools: []string{"b", "a"}}
				two := &fakeServer{tools: []string{"c", "a"}}
				two.after(late)
				s := &surveyor{judge: &judge{}, seen: map[string][]verdict.Offered{}, when: map[string]time.Time{}}
				r := prepareScanned(t, s, s.judge, func(o *Options) { o.UsesInventory = func() bool { return true } }, one, two)
				began := time.Now()
				r.relay.Start(t.Context())
				r.relay.Settle(t.Context())
				want := map[string][]verdict.Offered{
					"s0": {{Server: "s1", Name: "a"}, {Server: "s1", Name: "c"}},
					"s1": {{Server: "s0", Name: "a"}, {Server: "s0", Name: "b"}},
				}
				if late > inventoryWait {
					want["s0"] = nil // it does not wait for ever
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				if !reflect.DeepEqual(s.seen, want) {
					t.Errorf("%v, want %v", s.seen, want)
				}
				if waited := s.when["s0"].Sub(began); waited != min(late, inventoryWait) {
					t.Errorf("judged after %v", waited)
				}
			})
		})
	}
}

// Nobody waits, and nothing is given away, where nobody uses it.
func TestInventoryUnused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := &fakeServer{tools: []string{"a"}}
		two := &fakeServer{tools: []string{"c"}}
		two.after(time.Second)
		s := &surveyor{judge: &judge{}, seen: map[string][]verdict.Offered{}, when: map[string]time.Time{}}
		r := prepareScanned(t, s, s.judge, nil, one, two)
		began := time.Now()
		r.relay.Start(t.Context())
		r.relay.Settle(t.Context())
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.seen["s0"] != nil || s.seen["s1"] != nil || !s.when["s0"].Equal(began) {
			t.Errorf("%v, after %v", s.seen, s.when["s0"].Sub(began))
		}
	})
}
