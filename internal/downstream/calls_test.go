package downstream

import (
	"errors"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

func TestAbandonedCallsAreForgotten(t *testing.T) {
	book := newCalls()
	var ids []jsonrpc.ID
	for range 3 * remembered {
		c, _ := book.begin(caller{answered: func(peer.Reply) {}}, nil)
		c.Abandon(errors.New("enough"))
		ids = append(ids, c.ID())
	}
	if len(book.abandoned) != remembered || len(book.open) != 0 {
		t.Errorf("%d calls are remembered, %d open", len(book.abandoned), len(book.open))
	}
	for n, want := range map[int]string{0: peer.AnomalyTwice, len(ids) - 1: peer.AnomalyLate, len(ids) - remembered: peer.AnomalyLate} {
		if _, got := book.answered(ids[n]); got != want {
			t.Errorf("an answer to call %d is %s, want %s", n, got, want)
		}
		if _, got := book.answered(ids[n]); got != peer.AnomalyTwice {
			t.Errorf("another answer to call %d is %s", n, got)
		}
	}
}

func TestNumberOf(t *testing.T) {
	for raw, want := range map[string]int64{
		"1": 1, "9223372036854775807": 9223372036854775807,
		"0": 0, "-1": 0, "1.0": 0, "1e0": 0, "9223372036854775808": 0, `"1"`: 0,
	} {
		id, ok := jsonrpc.ParseID([]byte(raw))
		if !ok {
			t.Fatalf("%s is not an id", raw)
		}
		if got, ok := numberOf(id); ok != (want != 0) || (ok && got != want) {
			t.Errorf("numberOf(%s) = %d, %t", raw, got, ok)
		}
	}
	if _, ok := numberOf(jsonrpc.ID{}); ok {
		t.Error("the zero id has a number")
	}
}

func TestCloseEndsCallsInOrder(t *testing.T) {
	book := newCalls()
	var order []int64
	for range 100 {
		var c *call
		c, _ = book.begin(caller{answered: func(r peer.Reply) {
			if !errors.Is(r.Err, peer.ErrGone) {
				t.Errorf("got %+v", r)
			}
			order = append(order, c.number)
		}}, nil)
	}
	book.close(peer.ErrGone)
	book.close(errors.New("again"))
	for n, number := range order {
		if number != int64(n)+1 {
			t.Fatalf("the order was %v", order)
		}
	}
	if len(order) != 100 {
		t.Errorf("%d calls ended", len(order))
	}
	ended := false
	if _, ok := book.begin(caller{answered: func(peer.Reply) { ended = true }}, nil); ok || !ended {
		t.Error("a call was begun on a closed connection")
	}
}
