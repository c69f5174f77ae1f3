package downstream

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// TestCallsWaitForTheStream: what a server says outside of a call's stream is
// lost at some servers before that stream is open.
func TestCallsWaitForTheStream(t *testing.T) {
	var open atomic.Bool
	release := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			time.Sleep(50 * time.Millisecond) // a slow server
			open.Store(true)
			w.Header().Set("Content-Type", streamType)
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-release
			return
		}
		m := received(t, r)
		if m.ID.IsZero() {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.Header().Set("Content-Type", jsonType)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{"open":%t}}`, m.ID.Raw(), open.Load())
	})
	defer close(release)
	i := connect(t, HTTP{URL: url}, &notes{})
	i.SetProtocolVersion("2025-11-25")
	if err := i.Notify(request(protocol.Initialized, "")); err != nil {
		t.Fatal(err)
	}
	_, replies := ask(t, i, peer.Clear(peer.Params, "tools/call", nil))
	if r := await(t, replies); string(r.Result) != `{"open":true}` {
		t.Errorf("the first call got %s, %v", r.Result, r.Err)
	}
	i.Close(time.Second)
}
