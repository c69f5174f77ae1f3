package downstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

const (
	firstRetry  = time.Second
	shortestTry = 100 * time.Millisecond
	longestTry  = 30 * time.Second
)

// errStreamTooLong says that the streams of one call held too much.
var errStreamTooLong = errors.New("the event stream is longer than the limit")

// stream is the messages of one event stream and of those that continue it.
type stream struct {
	events

	inbox     *inbox
	call      *call  // whose answer the stream carries; nil: none's
	answered  func() // called after the answer
	maxEvents int    // 0: no limit
	maxBytes  int64  // 0: no limit
	count     int    // events so far
}

// consume reads a body to its end, hands on what is in it and closes it. It
// never returns nil.
func (s *stream) consume(body io.ReadCloser) error {
	defer func() { _ = body.Close() }() // there is nothing to lose
	s.open(body)
	for {
		e, err := s.next()
		if err != nil {
			return err
		}
		s.count++
		if (s.maxEvents > 0 && s.count > s.maxEvents) || (s.maxBytes > 0 && s.read > s.maxBytes) {
			return errStreamTooLong
		}
		if e.isMessage() {
			s.message(e.data)
		}
	}
}

// message takes one message. A stream answers its own call only: the id of
// another call in it is an answer to nothing.
func (s *stream) message(frame []byte) {
	m, err := jsonrpc.Parse(frame, s.inbox.shape)
	ours := s.call != nil && m.ID == s.call.ID()
	switch {
	case err != nil:
		s.inbox.handler.Anomaly(anomalyOf(err))
		if ours {
			s.inbox.spoilt(m.ID, frame, peer.ErrBadAnswer)
		}
	case m.Kind() != jsonrpc.Response:
		s.inbox.unprompted(m, s.listener())
	case ours:
		s.inbox.answer(&m)
		s.answered()
	default:
		s.inbox.handler.Anomaly(peer.AnomalyUnasked)
	}
}

// listener returns who hears what the server says on the stream: the caller
// while it waits for its answer, else whoever hears everything else.
func (s *stream) listener() listener {
	if s.call != nil && s.call.isOpen() {
		return s.call.by
	}
	return s.inbox.handler
}

// wait returns how long to wait before the stream is continued.
func (s *stream) wait() time.Duration { return min(max(s.retry, shortestTry), longestTry) }

// listenOnce opens the stream for what the server says outside of calls. It
// does so once, after the handshake.
func (i *httpInstance) listenOnce(life context.Context) {
	i.mu.Lock()
	first := !i.listening
	i.listening = true
	i.mu.Unlock()
	if first {
		go i.keepListening(life)
	}
}

// keepListening keeps that stream open until the connection ends or the server
// says that it has none.
func (i *httpInstance) keepListening(life context.Context) {
	s := stream{events: events{limit: i.settings.MaxMessage, retry: firstRetry}, inbox: &i.inbox}
	backoff := time.Duration(0)
	for {
		res, err := i.listen(life, s.position)
		before := s.count
		switch {
		case err != nil:
		case res.StatusCode == http.StatusOK && mediaType(res) == streamType:
			if err := s.consume(res.Body); errors.Is(err, errEventTooLong) {
				i.inbox.handler.Anomaly(peer.AnomalyTooLong)
				s.position = "" // or the same event comes again
			}
		default:
			closeBody(res)
			if res.StatusCode < http.StatusInternalServerError && res.StatusCode != http.StatusTooManyRequests {
				return // 405 by the book; others mean the same
			}
		}
		if s.count > before {
			backoff = 0
		} else {
			backoff = min(2*backoff+shortestTry, longestTry)
		}
		if !pause(life, max(backoff, s.wait())) {
			return
		}
	}
}
