package isolation

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

func TestWhoSharesACore(t *testing.T) {
	clients := []peer.Hello{
		{Principal: "a", Session: "1"},
		{Principal: "a", Session: "2"},
		{Principal: "a", Session: "3", Stateless: true},
		{Principal: "a", Session: "4", Stateless: true},
		{Principal: "b", Session: "5"},
		{Principal: "b", Session: "6", Stateless: true},
	}
	tests := []struct {
		name       string
		mode       Mode
		principals []string
		started    []string // cores that Start starts
		want       []int    // clients with the same number share a core
	}{
		{"shared", Shared, []string{"a", "b"}, []string{"shared"}, []int{0, 0, 0, 0, 0, 0}},
		{"principal", PerPrincipal, []string{"a", "b"}, nil, []int{0, 0, 0, 0, 1, 1}},
		{"one principal, then another", PerPrincipal, []string{"a"}, []string{"a"}, []int{0, 0, 0, 0, 1, 1}},
		{"session", PerSession, []string{"a"}, nil, []int{0, 1, 2, 2, 3, 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &factory{}
			p := New(Options{Mode: tt.mode, Principals: tt.principals, New: f.make})
			p.Start(t.Context())
			defer p.Close()
			if got, _ := f.open(); !slices.Equal(got, tt.started) {
				t.Errorf("started %v", got)
			}
			var cores []*fakeCore // in the order in which they were met
			for i, who := range clients {
				core := coreOf(t, connect(t, p, who))
				at := slices.Index(cores, core)
				if at < 0 {
					at = len(cores)
					cores = append(cores, core)
				}
				if at != tt.want[i] {
					t.Errorf("client %d got core %d, want %d", i, at, tt.want[i])
				}
			}
		})
	}
}

func TestCoresEnd(t *testing.T) {
	tests := []struct {
		name       string
		mode       Mode
		principals []string
		who        peer.Hello
		atOnce     int // cores that run when the client has just gone
		later      int // when the idle time has passed
	}{
		{"shared is kept", Shared, nil, session("a"), 1, 1},
		{"the only principal's is kept", PerPrincipal, []string{"a"}, session("a"), 1, 1},
		{"a principal's waits", PerPrincipal, []string{"a", "b"}, session("a"), 1, 0},
		{"a principal's waits for requests", PerPrincipal, nil, request("a"), 1, 0},
		{"a session's goes", PerSession, nil, session("a"), 0, 0},
		{"that of requests waits", PerSession, nil, request("a"), 1, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &factory{start: time.Second, end: time.Second}
				p := New(Options{Mode: tt.mode, Principals: tt.principals, New: f.make, Idle: time.Minute})
				p.Start(t.Context())
				c := connect(t, p, tt.who)
				time.Sleep(time.Hour)
				if open, _ := f.open(); len(open) != 1 {
					t.Fatalf("in use, and %v run", open)
				}
				c.Close()
				c.Close() // counts once
				time.Sleep(2 * time.Second)
				if open, _ := f.open(); len(open) != tt.atOnce {
					t.Errorf("%v run when the client has gone", open)
				}
				time.Sleep(time.Minute)
				if open, _ := f.open(); len(open) != tt.later {
					t.Errorf("%v run a while later", open)
				}
				// Whoever comes again is served all the same.
				connect(t, p, tt.who).Close()
				p.Close()
				if open, all := f.open(); len(open) != 0 || all != 2-tt.later {
					t.Errorf("%v of %d run after all", open, all)
				}
			})
		})
	}
}

// A core that is used now and then is kept, and its idle time counts from the
// last use.
func TestUseKeepsACore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{}
		p := New(Options{New: f.make, Idle: time.Minute})
		p.Start(t.Context())
		for range 10 {
			connect(t, p, request("a")).Close()
			time.Sleep(40 * time.Second)
		}
		c := connect(t, p, request("a"))
		time.Sleep(10 * time.Minute)
		c.Close()
		time.Sleep(59 * time.Second)
		if open, all := f.open(); len(open) != 1 || all != 1 {
			t.Errorf("%v of %d run", open, all)
		}
		time.Sleep(2 * time.Second)
		if open, _ := f.open(); len(open) != 0 {
			t.Errorf("%v run", open)
		}
		p.Close()
	})
}

func TestOneCoreHoweverManyComeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{start: time.Second}
		p := New(Options{New: f.make})
		p.Start(t.Context())
		for range 20 {
			go func() { connect(t, p, request("a")).Close() }()
		}
		// While that core starts, another principal's does not wait for it.
		began := time.Now()
		connect(t, p, request("b")).Close()
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("waited %v for another's core", waited)
		}
		synctest.Wait()
		if open, all := f.open(); !slices.Equal(open, []string{"a", "b"}) || all != 2 {
			t.Errorf("%v of %d run", open, all)
		}
		p.Close()
	})
}

func TestNobodyIsLetIn(t *testing.T) {
	f := &factory{}
	p := New(Options{Mode: Shared, New: f.make})
	refused := func(when string) {
		t.Helper()
		if _, err := p.Connect(t.Context(), session("a"), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("before the start")
	p.Start(t.Context())
	p.Start(t.Context()) // the second does nothing
	c := connect(t, p, session("a"))
	p.Close()
	refused("after the end")
	p.Start(t.Context())
	refused("after another start")
	c.Close()
	p.Close()
	if open, all := f.open(); len(open) != 0 || all != 1 {
		t.Errorf("%v of %d run", open, all)
	}
}

// However opening, using and closing meet, every core that starts is closed.
func TestNoCoreIsLeftBehind(t *testing.T) {
	for _, mode := range []Mode{Shared, PerPrincipal, PerSession} {
		f := &factory{}
		p := New(Options{Mode: mode, New: f.make, Idle: time.Microsecond})
		p.Start(t.Context())
		var ending atomic.Bool
		var working sync.WaitGroup
		for i := range 8 {
			working.Go(func() {
				for n := range 200 {
					who := session([]string{"a", "b", "c"}[(i+n)%3])
					who.Stateless = n%2 == 0
					c, err := p.Connect(t.Context(), who, nil)
					if errors.Is(err, ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if !coreOf(t, c).running.Load() && !ending.Load() {
						t.Errorf("mode %d: a client has a core that does not run", mode)
					}
					c.Close()
					if i == 0 && n == 150 {
						ending.Store(true)
						p.Close()
					}
				}
			})
		}
		working.Wait()
		if open, all := f.open(); len(open) != 0 || all == 0 {
			t.Errorf("mode %d: %v of %d run", mode, open, all)
		}
		for _, c := range f.cores {
			if n := c.clients.Load(); n != 0 {
				t.Errorf("mode %d: %d clients of %s were not closed", mode, n, c.scope)
			}
		}
		if p.total.sessions != 0 || p.total.streams != 0 || len(p.scopes) != 0 {
			t.Errorf("mode %d: left over: %+v, %d scopes", mode, p.total, len(p.scopes))
		}
		for name, a := range p.accounts {
			if a.sessions != 0 || a.streams != 0 || a.children != 0 {
				t.Errorf("mode %d: %s has left over %+v", mode, name, a)
			}
		}
	}
}

// Every core that was made learns of a change, once, however it meets with the
// making and the ending of cores.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{start: time.Second, end: time.Second}
		p := New(Options{New: f.make, Children: 2, Limits: Limits{Children: 5}, Idle: time.Minute})
		p.Start(t.Context())
		inUse := connect(t, p, session("a"))
		connect(t, p, session("b")).Close()
		go func() { connect(t, p, session("c")).Close() }()
		synctest.Wait() // the third is being made
		var renewed []string
		p.Renew(7, func(c Core) {
			inner, ok := c.(adapted[*fakeClient])
			if !ok {
				t.Fatalf("a core of type %T", c)
			}
			core, _ := inner.Typed.(*fakeCore)
			if !core.running.Load() {
				t.Error("renewed before it was started")
			}
			renewed = append(renewed, core.scope)
		})
		slices.Sort(renewed)
		if !slices.Equal(renewed, []string{"a", "b", "c"}) {
			t.Errorf("renewed %v", renewed)
		}
		if n := p.accounts["a"].children; n != 7 {
			t.Errorf("a pays for %d children", n)
		}
		inUse.Close()
		time.Sleep(2 * time.Minute)
		p.Renew(1, func(Core) { t.Error("a core that ended is renewed") })
		for name, a := range p.accounts {
			if a.children != 0 {
				t.Errorf("%s pays for %d children", name, a.children)
			}
		}
		p.Close()
		p.Renew(1, func(Core) { t.Error("a closed pool has cores") })
	})
}

func TestRefusal(t *testing.T) {
	p := New(Options{Refuse: func(code int, text string) peer.Cleared {
		if code != -1 || text != "no" {
			t.Errorf("%d %s", code, text)
		}
		return peer.Cleared{}
	}})
	p.Refusal(-1, "no")
}
