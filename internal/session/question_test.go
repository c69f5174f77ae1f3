package session

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

func question() peer.Cleared { return peer.Clear(peer.Params, "roots/list", nil) }

func replyTo(id jsonrpc.ID) *jsonrpc.Message {
	return &jsonrpc.Message{ID: id, Result: []byte(`{"roots":[]}`)}
}

// TestAsk: each question has an id of its own, and is answered once.
func TestAsk(t *testing.T) {
	out := &sink{}
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, out)
	var got []string
	then := func(r peer.Reply) { got = append(got, string(r.Result)+string(r.Error)) }
	a, err := s.Ask(nil, question(), then)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Ask(begin(t, s, jsonrpc.IntID(1)), question(), then)
	if err != nil || a.ID() == b.ID() {
		t.Fatalf("%v: two questions with the id %s", err, a.ID().Raw())
	}
	for _, id := range []jsonrpc.ID{jsonrpc.StringID("1"), jsonrpc.IntID(99), {}} {
		if s.Reply(replyTo(id)) {
			t.Errorf("%q answered something", id.Raw())
		}
	}
	if !s.Reply(replyTo(b.ID())) || s.Reply(replyTo(b.ID())) || b.Withdraw() {
		t.Error("it was not answered once")
	}
	if !a.Withdraw() || a.Withdraw() || s.Reply(replyTo(a.ID())) {
		t.Error("it was not withdrawn once")
	}
	if want := []string{`{"roots":[]}`}; !slices.Equal(got, want) {
		t.Errorf("got %s", got)
	}
	if want := []string{`{"jsonrpc":"2.0","id":1,"method":"roots/list"}`, `{"jsonrpc":"2.0","id":2,"method":"roots/list"}`}; !slices.Equal(out.frames, want) {
		t.Errorf("the client got %s", out.frames)
	}
}

// TestQuestionsAreBounded, and free again once they are answered.
func TestQuestionsAreBounded(t *testing.T) {
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, &sink{})
	var last *Question
	for range maxQuestions {
		var err error
		if last, err = s.Ask(nil, question(), func(peer.Reply) {}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Ask(nil, question(), func(peer.Reply) {}); !errors.Is(err, peer.ErrTooMany) {
		t.Errorf("got %v", err)
	}
	last.Withdraw()
	if _, err := s.Ask(nil, question(), func(peer.Reply) {}); err != nil {
		t.Error(err)
	}
}

// silent is a sink without a stream for requests.
type silent struct{ sink }

func (*silent) Request(jsonrpc.ID, jsonrpc.ID, peer.Cleared) error { return peer.ErrNoStream }

func TestNobodyHears(t *testing.T) {
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, &silent{})
	if _, err := s.Ask(nil, question(), func(peer.Reply) { t.Error("answered") }); !errors.Is(err, peer.ErrNoStream) {
		t.Errorf("got %v", err)
	}
	s.End()
}

// TestEndAnswersQuestions: each once, whoever is first.
func TestEndAnswersQuestions(t *testing.T) {
	for range 500 {
		s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, &sink{})
		var calls atomic.Int32
		q, err := s.Ask(nil, question(), func(peer.Reply) { calls.Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(s.End)
		wg.Go(func() { s.Reply(replyTo(q.ID())) })
		wg.Go(func() {
			if q.Withdraw() {
				calls.Add(1)
			}
		})
		wg.Wait()
		if calls.Load() != 1 {
			t.Fatalf("ended %d times", calls.Load())
		}
		if _, err := s.Ask(nil, question(), func(peer.Reply) {}); !errors.Is(err, ErrEnded) {
			t.Fatalf("after the end: %v", err)
		}
	}
}
