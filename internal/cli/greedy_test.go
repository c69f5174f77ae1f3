package cli

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// TestGreedyPrincipal: one principal has as many calls in flight as it may have
// and asks for more; another one's are answered as before. When the first one
// leaves, the server is told of each call.
func TestGreedyPrincipal(t *testing.T) {
	const allowed, wanted = 40, 120
	server, received := recording(t, "legacy")
	w := startPrincipals(t, server, "isolation", "shared", "limits", object("streams_per_principal", allowed))
	calm := w.mustClient(false, bert)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var refused atomic.Int32
	var all sync.WaitGroup
	for range wanted {
		all.Go(func() {
			r := w.request("POST", "/mcp", modernCall("1", "one__wait"), modernHeaders("tools/call", "one__wait")...)
			s, err := w.open(r.WithContext(ctx))
			if err != nil {
				return // it left
			}
			if s.status == 429 {
				refused.Add(1)
			} else {
				t.Errorf("status %d", s.status)
			}
			s.close()
		})
	}
	await(t, "all calls", func() bool {
		return refused.Load() == wanted-allowed && len(waiting.FindAllString(contents(received), -1)) == allowed
	})
	for range 20 {
		if got := calm.text("one__echo"); got != "echo" {
			t.Fatalf("the other principal got %s\n%s", got, w.stderr)
		}
	}
	leave()
	all.Wait()
	await(t, "word of each call", func() bool { return len(cancelled.FindAllString(contents(received), -1)) == allowed })
	greedy := w.mustClient(true, anna)
	if got := greedy.text("one__echo"); got != "echo" {
		t.Errorf("afterwards: %s", got)
	}
}
