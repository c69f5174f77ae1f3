package downstream

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// piped is a network without a network, for tests that move the clock.
type piped struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *piped) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *piped) Addr() net.Addr { return &net.TCPAddr{} }

func (p *piped) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestQuestionIsAnsweredLate: a person may take long to answer what a legacy
// server asks on the stream of a call.
func TestQuestionIsAnsweredLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan jsonrpc.Message, 1)
		network := &piped{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m := received(t, r)
			if m.Method == "" {
				answers <- m
				w.WriteHeader(http.StatusAccepted)
				return
			}
			w.Header().Set("Content-Type", streamType)
			say(w, `{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}`)
			a := <-answers
			say(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, m.ID.Raw(), a.Result)
		})}
		go func() { _ = server.Serve(network) }()
		rest, heard := &notes{}, &notes{}
		i := connect(t, HTTP{URL: "http://127.0.0.1:1/"}, rest)
		i.origin.client.Transport = &http.Transport{DialContext: network.dial}
		i.SetProtocolVersion("2025-11-25")
		heard.on = func(m jsonrpc.Message) {
			time.AfterFunc(time.Hour, func() {
				if err := i.Answer(m.ID, peer.Clear(peer.Result, m.Method, []byte(`{"action":"accept"}`))); err != nil {
					t.Error(err)
				}
			})
		}
		begin := time.Now()
		var reply peer.Reply
		answered := make(chan struct{})
		i.Call(request("tools/call", `{}`), caller{talk: heard, answered: func(r peer.Reply) { reply = r; close(answered) }})
		<-answered
		if string(reply.Result) != `{"action":"accept"}` || time.Since(begin) < time.Hour {
			t.Errorf("after %v: %+v", time.Since(begin), reply)
		}
		if got := fmt.Sprint(heard.all(), rest.all()); got != `[request "q" elicitation/create {}] []` {
			t.Errorf("the caller and the handler heard %s", got)
		}
		i.Close(0)
		_ = server.Close()
		time.Sleep(time.Hour) // what is left of it ends
	})
}

// TestSessionIsLostWhileListening: a stream that was there and is refused with
// 404 belongs to a session that is forgotten.
func TestSessionIsLostWhileListening(t *testing.T) {
	for name, opens := range map[string]int{"at once": 0, "later": 1} {
		var mu sync.Mutex
		gets := 0
		refused := make(chan struct{}, 8)
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(sessionHeader, "s")
			if r.Method == http.MethodPost {
				m := received(t, r)
				w.Header().Set("Content-Type", jsonType)
				if !m.ID.IsZero() {
					_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":1}`, m.ID.Raw())
				}
				return
			}
			mu.Lock()
			gets++
			open := gets <= opens
			mu.Unlock()
			if r.Method == http.MethodGet && open {
				w.Header().Set("Content-Type", streamType)
				_, _ = fmt.Fprint(w, "retry: 1\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"n\"}\n\n") // and breaks
				return
			}
			w.WriteHeader(http.StatusNotFound)
			refused <- struct{}{}
		})
		n := &notes{}
		i := connect(t, HTTP{URL: url}, n)
		result(t, i, request(protocol.Initialize, `{}`))
		i.SetProtocolVersion("2025-11-25")
		if err := i.Notify(request(protocol.Initialized, "")); err != nil {
			t.Fatal(err)
		}
		if opens > 0 {
			n.eventually(t, "notification n ")
			awaitDone(t, i)
			continue
		}
		receive(t, refused)
		if got := result(t, i, request("x", "")); got != "1" || i.Err() != nil { // there is no such stream, and that is all
			t.Errorf("%s: %s, %v", name, got, i.Err())
		}
	}
}
