package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// errOldStatus is what an HTTP server says that knows the old transport only.
var errOldStatus = fmt.Errorf("%w: %w", peer.ErrStatus, peer.ErrOldTransport)

// TestProbing: each kind of server is found out and greeted in its own way.
func TestProbing(t *testing.T) {
	const unsupported = `{"code":-32022,"message":"m","data":{"supported":[%s],"requested":"2026-07-28"}}`
	result := func(versions string) func(*fakeConn, *fakeCall) {
		return func(_ *fakeConn, c *fakeCall) {
			go c.result(`{"resultType":"complete","supportedVersions":[` + versions + `],"capabilities":{"tools":{}}}`)
		}
	}
	fails := func(object string) func(*fakeConn, *fakeCall) {
		return func(_ *fakeConn, c *fakeCall) { go c.fails(object) }
	}
	lost := func(err error) func(*fakeConn, *fakeCall) {
		return func(_ *fakeConn, c *fakeCall) { go c.reply(peer.Reply{Err: err}) }
	}
	tests := []struct {
		name    string
		modern  bool
		speech  Speech
		onProbe func(*fakeConn, *fakeCall)
		era     string // revision agreed on; empty: none
		conns   int    // connections in the first second
	}{
		{"modern", true, Auto, nil, "2026-07-28", 1},
		{"legacy", false, Auto, nil, "2025-11-25", 1},
		{"both", false, Auto, result(`"2026-07-28","2025-11-25"`), "2026-07-28", 1},
		{"modern of another revision", true, Auto, result(`"2027-01-01"`), "", 1},
		{"legacy that discovers", false, Auto, result(`"2025-11-25"`), "2025-11-25", 1},
		{"nonsense", false, Auto, result(`7,null`), "", 1},
		{"no list", false, Auto, func(_ *fakeConn, c *fakeCall) { go c.result(`{}`) }, "2025-11-25", 1},
		{"other modern revisions", true, Auto, fails(fmt.Sprintf(unsupported, `"2027-01-01"`)), "", 1},
		{"legacy revisions", false, Auto, fails(fmt.Sprintf(unsupported, `"2025-06-18"`)), "2025-11-25", 1},
		{"before initialize", false, Auto, fails(`{"code":-32600,"message":"initialize first"}`), "2025-11-25", 1},
		{"HTTP 400", false, Auto, lost(peer.ErrStatus), "2025-11-25", 1},
		{"bad answer", false, Auto, lost(peer.ErrBadAnswer), "2025-11-25", 1},
		{"dies", false, Auto, func(c *fakeConn, fc *fakeCall) {
			go func() {
				fc.reply(peer.Reply{Err: peer.ErrGone})
				c.die()
			}()
		}, "2025-11-25", 2},
		{"closes its output and goes on", false, Auto, lost(peer.ErrGone), "2025-11-25", 2},
		{"cannot be reached", false, Auto, lost(peer.ErrNotSent), "", 1},
		{"only legacy, not probed", false, OnlyLegacy, func(*fakeConn, *fakeCall) { panic("probed") }, "2025-11-25", 1},
		{"only modern, but is not", false, OnlyModern, nil, "", 1},
		{"only legacy, but is not", true, OnlyLegacy, nil, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{modern: tt.modern, probed: true, speech: tt.speech, tools: []string{"x"}, onProbe: tt.onProbe}
				r := start(t, nil, s)
				time.Sleep(200 * time.Millisecond)
				synctest.Wait()
				version := ""
				if l := r.relay.servers()[0].current.Load(); l != nil {
					version = l.version()
				}
				if version != tt.era {
					t.Errorf("speaks %q", version)
				}
				s.set(func() {
					if len(s.conns) != tt.conns {
						t.Errorf("%d connections", len(s.conns))
					}
					last := s.conns[len(s.conns)-1].spoken
					if tt.era != "" && last[len(last)-1] != tt.era {
						t.Errorf("the connection speaks %q", last)
					}
				})
				if status := r.relay.Status()[0]; status.Ready != (tt.era != "") {
					t.Errorf("%+v", status)
				}
			})
		})
	}
}

// TestASilentServer is greeted in the legacy way as well.
func TestASilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var probe *fakeCall
		s := &fakeServer{probed: true, tools: []string{"x"}, onProbe: func(_ *fakeConn, c *fakeCall) { probe = c }}
		r := start(t, nil, s)
		time.Sleep(patience + time.Millisecond)
		synctest.Wait()
		if l := r.relay.servers()[0].current.Load(); l == nil || l.modern() || !probe.ended {
			t.Error("it is not spoken to as a legacy server")
		}
	})
}

// TestASlowModernServer answers the question for its era after it was greeted
// in the legacy way, which it never answers.
func TestASlowModernServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var probe *fakeCall
		var conns []*greedyConn
		s := &fakeServer{modern: true, probed: true, tools: []string{"x"}, onProbe: func(_ *fakeConn, c *fakeCall) { probe = c }}
		r := start(t, func(o *Options) {
			o.Servers[0].Dialer = DialFunc(func(ctx context.Context, h peer.Handler) (Connection, error) {
				c, err := s.dial(ctx, h)
				if err != nil {
					return nil, err
				}
				conns = append(conns, &greedyConn{fakeConn: c.(*fakeConn)})
				return conns[len(conns)-1], nil
			})
		}, s)
		time.Sleep(patience + time.Second)
		synctest.Wait()
		probe.result(`{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}`)
		time.Sleep(time.Second)
		synctest.Wait()
		if l := r.relay.servers()[0].current.Load(); l == nil || !l.modern() {
			t.Error("it is not spoken to as a modern server")
		}
		if spoken := s.conn(0).spoken; spoken[len(spoken)-1] != protocol.LatestModern {
			t.Errorf("the connection speaks %q", spoken)
		}
		if !conns[0].greeting.ended {
			t.Error("the relay waits for the answer to its greeting")
		}
	})
}

// greedyConn keeps the legacy greeting.
type greedyConn struct {
	*fakeConn

	greeting *fakeCall
}

func (c *greedyConn) Call(cl peer.Cleared, by peer.Caller) peer.Call {
	if cl.Method() == protocol.Initialize {
		c.greeting = &fakeCall{conn: c.fakeConn, by: by}
		return c.greeting
	}
	return c.fakeConn.Call(cl, by)
}

// TestTheOldTransport is tried when an HTTP server answers like one that knows
// nothing else, and remembered until it fails.
func TestTheOldTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := func(_ *fakeConn, c *fakeCall) { go c.reply(peer.Reply{Err: errOldStatus}) }
		s := &fakeServer{probed: true, onProbe: status}
		old := &fakeServer{tools: []string{"x"}}
		dials := 0
		r := start(t, func(o *Options) {
			o.Servers[0].Dialer = DialFunc(func(ctx context.Context, h peer.Handler) (Connection, error) {
				dials++
				c, err := s.dial(ctx, h)
				if err != nil {
					return nil, err
				}
				return &refusingConn{c.(*fakeConn)}, nil
			})
			o.Servers[0].Old = old.dialer()
		}, s)
		r.wantPart(toolsList, `"s0__x"`)
		if dials != 1 || len(old.conns) != 1 {
			t.Errorf("%d dials, %d of the old transport", dials, len(old.conns))
		}
		old.conn(0).die()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if dials != 1 || len(old.conns) != 2 {
			t.Errorf("not remembered: %d dials, %d of the old transport", dials, len(old.conns))
		}
		old.set(func() { old.dialErr = errors.New("gone") })
		old.conn(1).die()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if dials < 2 {
			t.Error("not asked again after a failure")
		}
	})
}

// refusingConn refuses whatever it is sent, as a server of another transport.
type refusingConn struct{ *fakeConn }

func (c *refusingConn) Call(cl peer.Cleared, by peer.Caller) peer.Call {
	call := &fakeCall{conn: c.fakeConn, by: by}
	if cl.Method() == protocol.Discover || cl.Method() == protocol.Initialize {
		go call.reply(peer.Reply{Err: errOldStatus})
		return call
	}
	return c.fakeConn.Call(cl, by)
}

// TestTheEraIsRemembered until the server fails, and then asked for again.
func TestTheEraIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var probes atomic.Int32
		s := &fakeServer{probed: true, tools: []string{"x"}}
		s.onProbe = func(_ *fakeConn, c *fakeCall) {
			probes.Add(1)
			if s.isModern() {
				go c.result(`{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}}`)
				return
			}
			go c.fails(`{"code":-32601,"message":"method not found"}`)
		}
		r := start(t, nil, s)
		r.wantPart(toolsList, `"s0__x"`)
		s.conn(0).die()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if probes.Load() != 1 || len(s.conns) != 2 {
			t.Errorf("%d probes of %d connections", probes.Load(), len(s.conns))
		}
		s.set(func() { s.modern = true }) // a new release
		s.conn(1).die()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if l := r.relay.servers()[0].current.Load(); probes.Load() != 2 || l == nil || !l.modern() {
			t.Errorf("%d probes", probes.Load())
		}
		s.conn(len(s.conns) - 1).die()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if l := r.relay.servers()[0].current.Load(); probes.Load() != 3 || l == nil || !l.modern() {
			t.Errorf("%d probes", probes.Load())
		}
		if got := s.took(); slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, protocol.Initialize) }) {
			t.Errorf("the server got %s", got)
		}
	})
}

// TestAServerThatSpeaksDuringTheProbe is answered, in whichever era.
func TestAServerThatSpeaksDuringTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{probed: true, tools: []string{"x"}}
		s.onProbe = func(c *fakeConn, fc *fakeCall) {
			go func() {
				for range 50 {
					c.says(t, `{"jsonrpc":"2.0","id":"early","method":"ping"}`)
					c.says(t, `{"jsonrpc":"2.0","id":"root","method":"roots/list"}`)
				}
			}()
			go fc.fails(`{"code":-32601,"message":"method not found"}`)
		}
		r := start(t, nil, s)
		r.wantPart(toolsList, `"s0__x"`)
		if got := s.got(); len(got) != 100 {
			t.Errorf("the server got %d answers", len(got))
		}
	})
}
