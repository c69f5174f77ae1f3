package downstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// errEventTooLong says that an event, or what stands between two, is longer
// than the limit.
var errEventTooLong = errors.New("an event is longer than the limit")

// event is one event of an event stream.
type event struct {
	name string // empty: message
	data []byte // the lines, joined by LF; the receiver's own
}

// isMessage reports whether the event carries a message. An event without data
// only moves the stream's position.
func (e *event) isMessage() bool {
	return len(e.data) > 0 && (e.name == "" || e.name == "message")
}

// events reads an event stream (HTML, server-sent events). It is for one
// goroutine.
type events struct {
	r     io.Reader
	limit int // bytes of the lines of one event
	// maxBytes is how much may be read of all streams together, comments and all;
	// 0: no limit.
	maxBytes int64

	// position is the id of the last event that had one; retry is how long the
	// server asks to wait before the stream is continued. Both outlive a stream.
	position string
	retry    time.Duration
	read     int64 // bytes of all streams

	buf     []byte // what was read and belongs to no line yet is buf[from:]
	from    int
	seen    int  // buf[from:seen] has no line end
	afterCR bool // an LF that comes next belongs to the line end before
	begun   bool // the byte order mark can come no more
	skip    bool // the rest of an event that was too long comes next
	err     error

	hasData, hasID bool // what the event that is being read has
	id             string
}

const (
	readSize = 16 << 10
	headSize = 4 << 10 // of what is kept of an event that is too long
)

// open continues with a new stream.
func (s *events) open(r io.Reader) {
	s.r, s.err = r, nil
	s.buf, s.from, s.seen = s.buf[:0], 0, 0
	s.afterCR, s.begun, s.skip = false, false, false
}

// next returns the next event that is not empty. An event that the stream's end
// cuts off is dropped, as the specification wants it. With errEventTooLong comes
// the beginning of the event, and the next call goes on behind it.
func (s *events) next() (event, error) {
	var e event
	s.hasData, s.hasID = false, false
	if s.skip {
		if err := s.skipEvent(); err != nil {
			return event{}, err
		}
	}
	size := 0
	for {
		line, err := s.line(s.limit - size)
		if len(line) > 0 {
			size += len(line) + 1
		}
		if err == nil && size > s.limit {
			err = errEventTooLong
		}
		switch {
		case errors.Is(err, errEventTooLong):
			s.skip = true
			s.field(&e, line[:min(len(line), headSize)])
			e.data = bytes.Clone(e.data[:min(len(e.data), headSize)])
			return e, err
		case err != nil:
			return event{}, err
		}
		if len(line) == 0 {
			if s.hasID {
				s.position = s.id
			}
			if s.hasData || e.name != "" {
				return e, nil
			}
			size = 0
			continue
		}
		s.field(&e, line)
	}
}

// skipEvent reads to the end of an event in constant memory. Its position
// counts for nothing.
func (s *events) skipEvent() error {
	s.skip = false
	for inLine := s.seen > s.from; ; {
		s.passLF()
		if n := lineEnd(s.buf[s.seen:]); n >= 0 {
			end := s.seen + n
			blank := !inLine && end == s.from
			s.afterCR = s.buf[end] == '\r'
			s.from, s.seen = end+1, end+1
			if blank {
				return nil
			}
			inLine = false
			continue
		}
		inLine = inLine || len(s.buf) > s.from
		s.from, s.seen = len(s.buf), len(s.buf)
		if s.err != nil {
			s.skip = true
			return s.err
		}
		s.fill()
	}
}

// passLF passes the LF of a CRLF.
func (s *events) passLF() {
	if s.afterCR && s.from < len(s.buf) {
		s.afterCR = false
		if s.buf[s.from] == '\n' {
			s.from++
			s.seen = s.from
		}
	}
}

// field takes one line of an event.
func (s *events) field(e *event, line []byte) {
	name, value, _ := bytes.Cut(line, []byte{':'})
	value = bytes.TrimPrefix(value, []byte{' '})
	switch string(name) {
	case "data":
		if s.hasData {
			e.data = append(e.data, '\n')
		}
		e.data = append(e.data, value...)
		s.hasData = true
	case "event":
		e.name = string(value)
	case "id":
		if isHeaderText(string(value)) || len(value) == 0 {
			s.id, s.hasID = string(value), true
		}
	case "retry":
		if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
			s.retry = time.Duration(ms) * time.Millisecond
		}
	default: // comments, and fields that nobody knows
	}
}

// line returns the next line without its end. It is valid until the next call.
// A line longer than room gives errEventTooLong and its beginning.
func (s *events) line(room int) ([]byte, error) {
	for {
		s.passLF()
		if n := lineEnd(s.buf[s.seen:]); n >= 0 {
			end := s.seen + n
			line := s.buf[s.from:end]
			s.afterCR = s.buf[end] == '\r'
			s.from, s.seen = end+1, end+1
			if !s.begun {
				s.begun = true
				line = bytes.TrimPrefix(line, []byte("\ufeff"))
			}
			return line, nil
		}
		s.seen = len(s.buf)
		if s.seen-s.from > room {
			return s.buf[s.from:s.seen], errEventTooLong
		}
		if s.err != nil {
			return nil, s.err
		}
		s.fill()
	}
}

// lineEnd returns the index of the first CR or LF, or -1. It looks in steps: a
// server that ends lines with CR must not have all that was read searched for an
// LF again at each of them.
func lineEnd(p []byte) int {
	const step = 512
	for at := 0; at < len(p); at += step {
		part := p[at:min(at+step, len(p))]
		end := bytes.IndexByte(part, '\n')
		if end >= 0 {
			part = part[:end]
		}
		if cr := bytes.IndexByte(part, '\r'); cr >= 0 {
			end = cr
		}
		if end >= 0 {
			return at + end
		}
	}
	return -1
}

func (s *events) fill() {
	if s.from > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[s.from:])]
		s.seen -= s.from
		s.from = 0
	}
	if cap(s.buf)-len(s.buf) < readSize {
		grown := make([]byte, len(s.buf), 2*cap(s.buf)+readSize)
		copy(grown, s.buf)
		s.buf = grown
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	s.read += int64(n)
	if s.maxBytes > 0 && s.read > s.maxBytes {
		s.err = errStreamTooLong
	} else if err != nil {
		s.err = fmt.Errorf("the event stream ended: %w", err)
	}
}

// isHeaderText reports whether s can be the value of a header: printable ASCII,
// and no more of it than a server would put there in earnest.
func isHeaderText(s string) bool {
	const longest = 4096
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= longest
}
