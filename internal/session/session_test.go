package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// sink keeps what a client gets; respond, when set, runs before a response is
// taken.
type sink struct {
	mu      sync.Mutex
	frames  []string
	respond func()
}

func (s *sink) add(frame []byte, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.frames = append(s.frames, string(frame))
	}
	return err
}

func (s *sink) Respond(id jsonrpc.ID, c peer.Cleared) error {
	err := s.add(peer.AppendResponse(nil, id, c))
	if s.respond != nil {
		s.respond()
	}
	return err
}

func (s *sink) Notify(_ jsonrpc.ID, c peer.Cleared) error {
	return s.add(peer.AppendRequest(nil, jsonrpc.ID{}, c))
}

func (s *sink) Request(id, _ jsonrpc.ID, c peer.Cleared) error {
	return s.add(peer.AppendRequest(nil, id, c))
}

func result(body string) peer.Cleared { return peer.Clear(peer.Result, "m", []byte(body)) }

func begin(t *testing.T, s *Session, id jsonrpc.ID) *Request {
	t.Helper()
	r, err := s.Begin(id, "m", nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnswerOnce(t *testing.T) {
	out := &sink{}
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, out)
	r := begin(t, s, jsonrpc.IntID(1))
	if err := r.Answer(peer.Cleared{}); !errors.Is(err, peer.ErrNotCleared) {
		t.Errorf("content that was not cleared: %v", err)
	}
	if r.Ended() || r.Context().Err() != nil {
		t.Error("a refused answer ended the request")
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := r.Answer(result(`{"n":1}`)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if want := []string{`{"jsonrpc":"2.0","id":1,"result":{"n":1}}`}; !slices.Equal(out.frames, want) {
		t.Errorf("got %s", out.frames)
	}
	if !r.Ended() || r.Context().Err() == nil || s.InFlight() != 0 {
		t.Error("an answered request is not over")
	}
}

func TestDuplicateIDs(t *testing.T) {
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, &sink{})
	r := begin(t, s, jsonrpc.IntID(1))
	if _, err := s.Begin(jsonrpc.IntID(1), "m", nil); !errors.Is(err, ErrDuplicateID) {
		t.Errorf("got %v", err)
	}
	begin(t, s, jsonrpc.StringID("1")) // another id
	if err := r.Answer(result("{}")); err != nil {
		t.Fatal(err)
	}
	begin(t, s, jsonrpc.IntID(1))
}

// TestIDIsFreeOnceTheAnswerCanBeRead: the client is as quick as can be.
func TestIDIsFreeOnceTheAnswerCanBeRead(t *testing.T) {
	out := &sink{}
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, out)
	var again *Request
	out.respond = func() {
		out.respond = nil
		again = begin(t, s, jsonrpc.IntID(1))
	}
	if err := begin(t, s, jsonrpc.IntID(1)).Answer(result("{}")); err != nil {
		t.Fatal(err)
	}
	if s.InFlight() != 1 || !s.Cancel(jsonrpc.IntID(1)) || !again.Ended() {
		t.Error("the second request was forgotten with the first")
	}
}

func TestCancel(t *testing.T) {
	out := &sink{}
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, out)
	before, late, answered := begin(t, s, jsonrpc.IntID(1)), begin(t, s, jsonrpc.IntID(2)), begin(t, s, jsonrpc.IntID(3))
	var cancelled []string
	before.OnCancel(func() { cancelled = append(cancelled, "replaced") })
	before.OnCancel(func() { cancelled = append(cancelled, "before") })
	answered.OnCancel(func() { cancelled = append(cancelled, "answered") })
	if err := answered.Answer(result("{}")); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64]bool{1: true, 2: true, 3: false, 4: false} {
		if s.Cancel(jsonrpc.IntID(id)) != want {
			t.Errorf("cancelling %d should give %v", id, want)
		}
	}
	late.OnCancel(func() { cancelled = append(cancelled, "late") })
	answered.OnCancel(func() { cancelled = append(cancelled, "answered") })
	if want := []string{"before", "late"}; !slices.Equal(cancelled, want) {
		t.Errorf("called %s", cancelled)
	}
	if err := before.Answer(result("{}")); err != nil || len(out.frames) != 1 {
		t.Errorf("a cancelled request was answered: %v %s", err, out.frames)
	}
}

func TestOnCancelRunsOnce(t *testing.T) {
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, &sink{})
	for range 2000 {
		r := begin(t, s, jsonrpc.IntID(1))
		var calls atomic.Int32
		var wg sync.WaitGroup
		wg.Go(func() { s.Cancel(jsonrpc.IntID(1)) })
		wg.Go(func() { r.OnCancel(func() { calls.Add(1) }) })
		wg.Wait()
		if calls.Load() != 1 {
			t.Fatalf("called %d times", calls.Load())
		}
	}
}

func TestEnd(t *testing.T) {
	s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, &sink{})
	r := begin(t, s, jsonrpc.IntID(1))
	called := false
	r.OnCancel(func() { called = true })
	s.End()
	s.End()
	if !called || !r.Ended() || r.Context().Err() == nil {
		t.Error("a request outlives its session")
	}
	if _, err := s.Begin(jsonrpc.IntID(2), "m", nil); !errors.Is(err, ErrEnded) {
		t.Errorf("got %v", err)
	}
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(t.Context(), peer.Hello{Session: "s", Principal: "local"}, &sink{})
		if err := s.Drain(t.Context()); err != nil {
			t.Errorf("nothing to wait for: %v", err)
		}
		r := begin(t, s, jsonrpc.IntID(1))
		begin(t, s, jsonrpc.IntID(2))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Drain(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		drained := make(chan error)
		go func() { drained <- s.Drain(t.Context()) }()
		if err := r.Answer(result("{}")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		select {
		case <-drained:
			t.Fatal("drained before the last request ended")
		default:
		}
		s.Cancel(jsonrpc.IntID(2))
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

func TestWhoIsThere(t *testing.T) {
	out := &sink{}
	s := New(t.Context(), peer.Hello{Session: "id", Principal: "local"}, out)
	s.Introduce(Sender{Name: "editor", Version: "2025-11-25"})
	sender := s.Sender()
	if s.ID() != "id" || s.Principal() != "local" || sender.Name != "editor" || sender.Version != "2025-11-25" {
		t.Errorf("%s %s %+v", s.ID(), s.Principal(), sender)
	}
	if r := begin(t, s, jsonrpc.IntID(1)); r.Session() != s || r.Method() != "m" {
		t.Error("a request does not know whose it is")
	}
	if err := s.Refuse(jsonrpc.ID{}, peer.Clear(peer.Error, "", []byte(`{"code":1}`))); err != nil {
		t.Fatal(err)
	}
	if err := s.Notify(peer.Clear(peer.Params, "n", nil)); err != nil {
		t.Fatal(err)
	}
	want := []string{`{"jsonrpc":"2.0","id":null,"error":{"code":1}}`, `{"jsonrpc":"2.0","method":"n"}`}
	if !slices.Equal(out.frames, want) {
		t.Errorf("got %s", out.frames)
	}
}
