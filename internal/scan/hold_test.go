package scan

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mcp-relay/relay/internal/verdict"
)

func TestOneServerCannotFillTheMemoryWithWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow := scannerFunc(func(context.Context, verdict.Content) (verdict.Verdict, error) {
			<-release
			return verdict.Verdict{Action: verdict.Allow}, nil
		})
		log := &records{}
		g := gateOf([]Member{member(slow, nil)}, log)
		defer g.Close()
		big := make([]byte, maxHeld/2) // shared: it is only counted
		var mu sync.Mutex
		var outcomes []Outcome
		ask := func(server string, data []byte) {
			s := request("")
			s.Content.Data, s.Content.Origin.Server = data, server
			g.Judge(t.Context(), s, func(d Decision) {
				mu.Lock()
				defer mu.Unlock()
				outcomes = append(outcomes, d.Outcome)
			})
		}
		ask("a", big)
		ask("a", big)
		ask("a", []byte(`{"x":1}`))
		synctest.Wait()
		if len(outcomes) != 1 || outcomes[0] != Unavailable || log.all[0].Reason != "too_much_at_once" {
			t.Fatalf("got %v, %+v", outcomes, log.all)
		}
		ask("b", big)
		close(release)
		synctest.Wait()
		if len(outcomes) != 4 || outcomes[1] != Passed || outcomes[2] != Passed || outcomes[3] != Passed {
			t.Errorf("got %v", outcomes)
		}
		ask("a", big)
		synctest.Wait()
		if len(outcomes) != 5 || outcomes[4] != Passed || len(g.hold.bytes) != 0 {
			t.Errorf("got %v, %v are held", outcomes, g.hold.bytes)
		}
	})
}
