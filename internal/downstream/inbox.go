package downstream

import (
	"bytes"
	"errors"
	"sync/atomic"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

// inbox sorts what a server says: answers go to their calls, requests and
// notifications to the handler, all else is an anomaly. It is called by the
// reader of a connection, in the order of the messages, and hands nothing over
// to another goroutine.
type inbox struct {
	calls   *calls
	handler peer.Handler
	shape   *jsonrpc.Shape
	modern  atomic.Bool // the server must not ask anything
}

// frame takes one message of a connection that carries the answers to all
// calls.
func (in *inbox) frame(frame []byte) {
	m, err := jsonrpc.Parse(frame, in.shape)
	if err != nil {
		word := anomalyOf(err)
		in.handler.Anomaly(word)
		in.spoilt(m.ID, frame, peer.ErrBadAnswer)
		return
	}
	if m.Kind() == jsonrpc.Response {
		in.answer(&m)
		return
	}
	if m.Kind() == jsonrpc.Request && in.modern.Load() {
		in.handler.Anomaly(peer.AnomalyRequest)
		return
	}
	in.unprompted(m, in.handler)
}

// tooLong takes the head of a message that is longer than the limit.
func (in *inbox) tooLong(head []byte) {
	in.handler.Anomaly(peer.AnomalyTooLong)
	// The head is never valid JSON; what Parse is for here is the id.
	m, _ := jsonrpc.Parse(head, nil)
	in.spoilt(m.ID, head, peer.ErrTooLong)
}

func (in *inbox) answer(m *jsonrpc.Message) {
	c, anomaly := in.calls.answered(m.ID)
	if c == nil {
		in.handler.Anomaly(anomaly)
		return
	}
	c.by.Answered(peer.Reply{Result: m.Result, Error: m.Error})
}

// listener takes what is not an answer: the handler, or the caller on whose
// stream it came.
type listener interface {
	Request(m jsonrpc.Message)
	Notification(m jsonrpc.Message)
}

// unprompted takes a message that is not an answer.
func (in *inbox) unprompted(m jsonrpc.Message, to listener) {
	switch m.Kind() {
	case jsonrpc.Request:
		to.Request(m)
	case jsonrpc.Notification:
		to.Notification(m)
	case jsonrpc.Invalid, jsonrpc.Response:
		in.handler.Anomaly(peer.AnomalyMalformed)
	default:
		in.handler.Anomaly(peer.AnomalyMalformed)
	}
}

// spoilt ends the call that a refused message seems to answer, which would
// otherwise wait for an answer that was thrown away.
func (in *inbox) spoilt(id jsonrpc.ID, frame []byte, err error) {
	if id.IsZero() || hasMethod(frame) {
		return // the server's own requests have ids of their own
	}
	if c, _ := in.calls.answered(id); c != nil {
		c.by.Answered(peer.Reply{Err: err})
	}
}

// hasMethod looks into a frame that may be anything.
func hasMethod(frame []byte) bool {
	for name := range jsonrpc.Members(bytes.TrimLeft(frame, " \t\r\n")) {
		if name == "method" {
			return true
		}
	}
	return false
}

// anomalyOf returns the word for a message that Parse refused.
func anomalyOf(err error) string {
	var refused *jsonrpc.ParseError
	if errors.As(err, &refused) && refused.Reason == jsonrpc.Batch {
		return peer.AnomalyBatch
	}
	return peer.AnomalyMalformed
}
