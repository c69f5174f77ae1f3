package scan

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/verdict"
)

// hostileTo is a scanner that content of the server "hostile" stalls, and that
// judges what others send at once, by what it says.
func hostileTo() scannerFunc {
	return func(ctx context.Context, c verdict.Content) (verdict.Verdict, error) {
		if c.Origin.Server == "hostile" {
			<-ctx.Done()
			return verdict.Verdict{}, &verdict.Failure{Reason: "timeout", Cause: verdict.CauseContent, Err: ctx.Err()}
		}
		time.Sleep(time.Millisecond)
		if string(c.Data) == `{"a":"bad"}` {
			return verdict.Verdict{Action: verdict.Block}, nil
		}
		return verdict.Verdict{Action: verdict.Allow}, nil
	}
}

// TestAHostileNeighbourChangesNothing: while a server floods the gate with what
// stalls every scanner, under policies that are as open as they get, none of it
// passes and the other server's verdicts are the same, as fast.
func TestAHostileNeighbourChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := recorderFunc(func(*audit.Record) error { return nil })
		g := gateOf(nil, quiet)
		defer g.Close()
		g.Swap(Panel{Budget: 10 * time.Second, Uninspected: UninspectedAllow, Members: []Member{
			named("first", 0, hostileTo(), func(p *Policy) { p.OnOutage, p.Timeout = OutagePasses, 5*time.Second }),
			named("second", 1, hostileTo(), func(p *Policy) {
				standsIn("third")(p)
				p.Timeout = 5 * time.Second
			}),
			named("third", 2, hostileTo(), func(p *Policy) { p.Mode = Off }),
			named("watching", 0, hostileTo(), func(p *Policy) { p.Mode, p.Timeout = Observe, 5*time.Second }),
		}})
		var flood sync.WaitGroup
		for range 2000 {
			flood.Add(1)
			s := request(`{"a":"poison"}`)
			s.Content.Origin.Server = "hostile"
			g.Judge(t.Context(), s, func(d Decision) {
				if d.Outcome == Passed {
					t.Error("a byte of the hostile server passed unjudged")
				}
				flood.Done()
			})
		}
		for _, tt := range []struct {
			data string
			want Outcome
			took time.Duration
		}{{`{"a":"good"}`, Passed, 2 * time.Millisecond}, {`{"a":"bad"}`, Blocked, time.Millisecond}} {
			for range 100 {
				start := time.Now()
				if d := decide(t, g, request(tt.data)); d.Outcome != tt.want || time.Since(start) != tt.took {
					t.Fatalf("%s: outcome %d after %v", tt.data, d.Outcome, time.Since(start))
				}
			}
		}
		flood.Wait()
		g.observers.Wait()
		if len(g.hold.bytes) != 0 {
			t.Errorf("%v are held", g.hold.bytes)
		}
	})
}

type recorderFunc func(*audit.Record) error

func (f recorderFunc) Write(r *audit.Record) error { return f(r) }
