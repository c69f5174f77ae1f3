package downstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
)

const (
	firstRetry  = time.Second
	shortestTry = 100 * time.Millisecond
	longestTry  = 30 * time.Second
)

var (
	// errStreamTooLong says that the streams of one call held too much.
	errStreamTooLong = errors.New("the event stream is longer than the limit")
	// errAbandoned says that nobody waits any more for what a stream says.
	errAbandoned = errors.New("the call was abandoned")
)

// stream is the messages of one event stream and of those that continue it.
type stream struct {
	events

	inbox     *inbox
	call      *call  // whose answer the stream carries; nil: none's
	answered  func() // called after the answer
	maxEvents int    // 0: no limit
	count     int    // events so far
	modern    bool   // nothing can be asked on it, and it is about its call only
	over      bool   // the call's answer came on it
}

// consume reads a body to its end, hands on what is in it and closes it. It
// never returns nil.
func (s *stream) consume(body io.ReadCloser) error {
	defer func() { _ = body.Close() }() // there is nothing to lose
	s.open(body)
	for {
		e, err := s.next()
		if err != nil && (s.call != nil || !errors.Is(err, errEventTooLong)) {
			return err
		}
		s.count++
		if err != nil { // the stream goes on behind it
			s.inbox.handler.Anomaly(peer.AnomalyTooLong)
			continue
		}
		if s.maxEvents > 0 && s.count > s.maxEvents {
			return errStreamTooLong
		}
		if s.call != nil && !s.over && !s.call.isOpen() {
			return errAbandoned // what is left of it was for the one who gave up
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
			s.over = s.over || !s.call.isOpen()
		}
	case m.Kind() != jsonrpc.Response:
		s.unprompted(m)
	case ours:
		s.over = true
		s.inbox.answer(&m)
		s.answered()
	default:
		s.inbox.handler.Anomaly(peer.AnomalyUnasked)
	}
}

// unprompted takes what is not an answer. The caller hears it while it waits
// for its answer, and then whoever hears everything else. In the modern era the
// stream of a call is about the call alone: after the answer nobody is left to
// hear it.
func (s *stream) unprompted(m jsonrpc.Message) {
	switch {
	case s.modern && m.Kind() == jsonrpc.Request:
		s.inbox.handler.Anomaly(peer.AnomalyRequest)
	case s.call != nil && s.call.isOpen():
		s.inbox.unprompted(m, s.call.by)
	case s.modern:
		s.inbox.handler.Anomaly(peer.AnomalyLate)
	default:
		s.inbox.unprompted(m, s.inbox.handler)
	}
}

// wait returns how long to wait before the stream is continued.
func (s *stream) wait() time.Duration { return min(max(s.retry, shortestTry), longestTry) }

// listen asks for an event stream: the one for what the server says by itself,
// or, with a position, the rest of one that broke.
func (i *httpInstance) listen(ctx context.Context, agreed terms, position string) (*http.Response, error) {
	return i.origin.do(ctx, sending{
		method: http.MethodGet, address: i.address, accept: streamType, terms: agreed, position: position, endless: true,
	})
}

// listenOnce opens the stream for what the server says outside of calls. It
// does so once, after the handshake. The channel is closed when the server has
// answered; it is nil when the stream was opened before.
func (i *httpInstance) listenOnce() (answered <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stopListening != nil {
		return nil
	}
	ctx, stop := context.WithCancel(i.life)
	i.stopListening = stop
	heard := make(chan struct{})
	go i.keepListening(ctx, i.agreed, sync.OnceFunc(func() { close(heard) }))
	return heard
}

// openWait is how long calls wait for that stream to open. Some servers drop
// what they say on it before; others open it only when they have something to
// say.
const openWait = time.Second

// awaitStream waits a moment for the answer to listenOnce.
func (i *httpInstance) awaitStream(ctx context.Context, answered <-chan struct{}) {
	if answered == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, openWait)
	defer cancel()
	select {
	case <-answered:
	case <-ctx.Done():
	}
}

// keepListening keeps that stream open until the connection ends or the server
// says that it has none.
func (i *httpInstance) keepListening(ctx context.Context, agreed terms, answered func()) {
	defer answered()
	s := stream{events: events{limit: i.settings.MaxMessage, retry: firstRetry}, inbox: &i.inbox}
	backoff := time.Duration(0)
	opened := false
	for {
		res, err := i.listen(ctx, agreed, s.position)
		answered()
		before := s.count
		switch {
		case err != nil:
		case res.StatusCode == http.StatusOK && mediaType(res) == streamType:
			opened = true
			_ = s.consume(res.Body) // however it ended, it is asked for again
		default:
			closeBody(res)
			if res.StatusCode == http.StatusNotFound && opened && agreed.session != "" {
				i.end(errSessionEnded) // before it was opened this may mean 405
				return
			}
			if res.StatusCode < http.StatusInternalServerError && res.StatusCode != http.StatusTooManyRequests {
				return // 405 by the book; others mean the same
			}
		}
		if s.count > before {
			backoff = 0
		} else {
			backoff = min(2*backoff+shortestTry, longestTry)
		}
		if !pause(ctx, max(backoff, s.wait())) {
			return
		}
	}
}
