package front

import (
	"net/http"
	"strconv"
	"time"
)

// retryAfter is how many milliseconds a client that lost a stream waits before
// it comes back (MCP 2025-11-25, Streamable HTTP).
const retryAfter = "1000"

// events writes one stream of server-sent events. It is for one goroutine.
type events struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	limits *limits
	// prefix begins the id of each event, when they have one.
	prefix string
	// named: each event says that it is a message, as the transport of
	// 2024-11-05 has it.
	named bool
	buf   []byte
}

func newEvents(w http.ResponseWriter, l *limits) *events {
	return &events{w: w, rc: http.NewResponseController(w), limits: l}
}

// numbered gives the events of stream n ids.
func (e *events) numbered(n uint64) { e.prefix = strconv.FormatUint(n, 10) + "-" }

// open sends the headers.
func (e *events) open() {
	header := e.w.Header()
	header.Set("Content-Type", mediaEvents)
	header.Set("Cache-Control", "no-cache, no-transform")
	header.Set("X-Accel-Buffering", "no") // proxies must not hold events back
	header["X-Content-Type-Options"] = noSniff
	e.w.WriteHeader(http.StatusOK)
}

// prime sends an event without data, so that the client knows an id before the
// first message.
func (e *events) prime(seq uint64) error {
	e.buf = append(e.buf[:0], "id: "+e.prefix...)
	e.buf = strconv.AppendUint(e.buf, seq, 10)
	e.buf = append(e.buf, "\nretry: "+retryAfter+"\ndata: \n\n"...)
	return e.flush()
}

// endpoint sends the address for messages of the transport of 2024-11-05.
func (e *events) endpoint(path string) error {
	e.buf = append(e.buf[:0], "event: endpoint\ndata: "+path+"\n\n"...)
	return e.flush()
}

// comment sends something that means nothing, to see whether the client is
// still there.
func (e *events) comment() error {
	e.buf = append(e.buf[:0], ":\n\n"...)
	return e.flush()
}

// send sends messages. Each is one line, and so one event.
func (e *events) send(items []item) error {
	const long = 32 << 10 // from here on a copy costs more than a write
	e.buf = e.buf[:0]
	for _, it := range items {
		if e.prefix != "" {
			e.buf = append(e.buf, "id: "+e.prefix...)
			e.buf = strconv.AppendUint(e.buf, it.seq, 10)
			e.buf = append(e.buf, '\n')
		}
		if e.named {
			e.buf = append(e.buf, "event: message\n"...)
		}
		e.buf = append(e.buf, "data: "...)
		if len(it.frame) < long {
			e.buf = append(e.buf, it.frame...)
		} else if err := e.writeBoth(it.frame); err != nil {
			return err
		}
		e.buf = append(e.buf, "\n\n"...)
		if len(e.buf) > long {
			if err := e.writeBoth(nil); err != nil {
				return err
			}
		}
	}
	return e.flush()
}

// writeBoth writes what is in the buffer, and p.
func (e *events) writeBoth(p []byte) error {
	buf := e.buf
	e.buf = e.buf[:0]
	if err := e.write(buf); err != nil {
		return err
	}
	return e.write(p)
}

func (e *events) flush() error {
	if err := e.write(e.buf); err != nil {
		return err
	}
	e.buf = e.buf[:0]
	e.deadline()
	return e.rc.Flush()
}

// write writes in pieces, so that the deadline is for progress and not for
// long messages.
func (e *events) write(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), e.limits.chunk)
		e.deadline()
		if _, err := e.w.Write(p[:n]); err != nil { //nolint:gosec // it is JSON or events, and says so, with nosniff
			return err
		}
		p = p[n:]
	}
	return nil
}

func (e *events) deadline() {
	_ = e.rc.SetWriteDeadline(time.Now().Add(e.limits.write)) // not every ResponseWriter has one
}

// abort makes net/http close the connection without the end of the body, so
// that the client does not take what it got for all there is.
func (e *events) abort() {
	_ = e.rc.SetWriteDeadline(time.Unix(1, 0))
}
