package isolation

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

// fill connects until the principal is refused, and returns who got in.
func fill(t *testing.T, p *Pool, who func() peer.Hello) []Client {
	t.Helper()
	var in []Client
	for range 1000 {
		c, err := p.Connect(t.Context(), who(), nil)
		if errors.Is(err, peer.ErrTooMany) {
			return in
		}
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, c)
	}
	t.Fatal("there is no limit")
	return nil
}

func TestLimits(t *testing.T) {
	sessionsOf := func(principal string) func() peer.Hello { return func() peer.Hello { return session(principal) } }
	requestsOf := func(principal string) func() peer.Hello { return func() peer.Hello { return request(principal) } }
	tests := []struct {
		name    string
		opts    Options
		who     func(principal string) func() peer.Hello
		a, b, c int // how many each principal gets in, one after the other
	}{
		{"sessions", Options{Limits: Limits{Sessions: 3}}, sessionsOf, 3, 3, 3},
		{"sessions of a shared core", Options{Mode: Shared, Limits: Limits{Sessions: 3}}, sessionsOf, 3, 3, 3},
		{"streams", Options{Limits: Limits{Streams: 4}}, requestsOf, 4, 4, 4},
		{"all sessions", Options{Limits: Limits{Sessions: 3}, MaxSessions: 5}, sessionsOf, 3, 2, 0},
		{"all streams", Options{MaxStreams: 5}, requestsOf, 5, 0, 0},
		{"children", Options{Mode: PerSession, Children: 4, Limits: Limits{Children: 9}}, sessionsOf, 2, 2, 2},
		{"just enough children", Options{Mode: PerSession, Children: 3, Limits: Limits{Children: 9}}, sessionsOf, 3, 3, 3},
		{"a first core always", Options{Mode: PerSession, Children: 10, Limits: Limits{Children: 9}}, sessionsOf, 1, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := &factory{}
			tt.opts.New = f.make
			p := New(tt.opts)
			p.Start(t.Context())
			defer p.Close()
			first := fill(t, p, tt.who("a"))
			if b, c := fill(t, p, tt.who("b")), fill(t, p, tt.who("c")); len(first) != tt.a || len(b) != tt.b || len(c) != tt.c {
				t.Errorf("let in %d, %d and %d", len(first), len(b), len(c))
			}
		})
	}
}

// Sessions and requests are counted apart.
func TestSessionsLeaveRoomForRequests(t *testing.T) {
	p := New(Options{New: (&factory{}).make, Limits: Limits{Sessions: 1, Streams: 1}})
	p.Start(t.Context())
	defer p.Close()
	connect(t, p, session("a"))
	connect(t, p, request("a"))
	for _, who := range []peer.Hello{session("a"), request("a")} {
		if _, err := p.Connect(t.Context(), who, nil); !errors.Is(err, peer.ErrTooMany) {
			t.Errorf("%+v: %v", who, err)
		}
	}
}

// What was refused costs nothing, and what is closed makes room.
func TestRoomIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &factory{end: time.Second}
		p := New(Options{Mode: PerSession, New: f.make, Children: 2, Limits: Limits{Sessions: 10, Children: 4}})
		p.Start(t.Context())
		in := fill(t, p, func() peer.Hello { return session("a") })
		if len(in) != 2 {
			t.Fatalf("let in %d", len(in))
		}
		in[0].Close()
		// Its servers are still there.
		if n := len(fill(t, p, func() peer.Hello { return session("a") })); n != 0 {
			t.Errorf("%d more than the limit", n)
		}
		time.Sleep(2 * time.Second)
		if n := len(fill(t, p, func() peer.Hello { return session("a") })); n != 1 {
			t.Errorf("let in %d for the one that went", n)
		}
		p.Close()
	})
}

// However many come at once, as many as are allowed are in at a time.
func TestLimitsAreExact(t *testing.T) {
	const most = 5
	for _, mode := range []Mode{Shared, PerPrincipal, PerSession} {
		p := New(Options{Mode: mode, New: (&factory{}).make, Limits: Limits{Sessions: most, Streams: most}})
		p.Start(t.Context())
		var in [2]atomic.Int64
		var peak [2]atomic.Bool // the limit was reached
		var working sync.WaitGroup
		for i := range 16 {
			working.Go(func() {
				kind := i % 2
				who := session("a")
				who.Stateless = kind == 1
				for range 300 {
					c, err := p.Connect(t.Context(), who, nil)
					if errors.Is(err, peer.ErrTooMany) {
						peak[kind].Store(true)
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if n := in[kind].Add(1); n > most {
						t.Errorf("mode %d: %d in", mode, n)
					}
					// Another principal has its own.
					connect(t, p, request("b"+who.Session)).Close()
					in[kind].Add(-1)
					c.Close()
				}
			})
		}
		working.Wait()
		p.Close()
		if !peak[0].Load() && !peak[1].Load() {
			t.Logf("mode %d: the limit was never reached", mode)
		}
	}
}

// A request without a session costs little: no goroutine, no timer, and one
// allocation beside the core's own.
func TestRequestsAreCheap(t *testing.T) {
	p := New(Options{New: (&factory{}).make, Principals: []string{"a", "b"}, Limits: Limits{Streams: 10}})
	p.Start(t.Context())
	defer p.Close()
	who := request("a")
	connect(t, p, who).Close()
	perRequest := testing.AllocsPerRun(100, func() { connect(t, p, who).Close() })
	if perRequest > 2 { // one of them is the fake's client
		t.Errorf("%v allocations", perRequest)
	}
}

func BenchmarkStatelessConnect(b *testing.B) {
	p := New(Options{New: (&factory{}).make, Principals: []string{"a", "b"}})
	p.Start(b.Context())
	defer p.Close()
	who := request("a")
	b.ReportAllocs()
	for b.Loop() {
		c, err := p.Connect(b.Context(), who, nil)
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
