package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

const maxMessage = 128 << 20

// stdio multiplexes requests over one pair of pipes. There is no reader
// goroutine: whichever caller holds the read token reads, hands other callers
// their responses, and passes the token on. A single caller therefore reads
// its own response with no goroutine switch.
type stdio struct {
	w     *os.File
	r     *os.File
	in    *bufio.Reader
	wmu   sync.Mutex
	wbuf  []byte
	token chan struct{}
	smu   sync.Mutex
	slots map[int64]chan arrival // by id
	dead  atomic.Pointer[error]

	unexpected atomic.Int64
}

type arrival struct {
	msg []byte
	at  time.Time
	err error
}

// Stdio returns a client over pipes. Up to lanes callers may call at a time.
func Stdio(r, w *os.File, lanes int) *Client {
	s := &stdio{w: w, r: r, in: bufio.NewReaderSize(r, 256<<10), slots: map[int64]chan arrival{}, token: make(chan struct{}, 1)}
	s.token <- struct{}{}
	return newClient(s, lanes)
}

func (s *stdio) setVersion(string) {}

func (s *stdio) setDeadline(t time.Time) {
	_ = s.r.SetReadDeadline(t)
	_ = s.w.SetWriteDeadline(t)
}

func (s *stdio) close() { _ = s.w.Close() }

func (s *stdio) notify(msg []byte) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	s.wbuf = append(append(s.wbuf[:0], msg...), '\n')
	_, err := s.w.Write(s.wbuf)
	return err
}

func (s *stdio) roundTrip(_ int, id int64, _, _ string, msg []byte) ([]byte, time.Time, error) {
	if e := s.dead.Load(); e != nil {
		return nil, time.Now(), *e
	}
	mine := make(chan arrival, 1)
	s.smu.Lock()
	s.slots[id] = mine
	s.smu.Unlock()
	defer func() {
		s.smu.Lock()
		delete(s.slots, id)
		s.smu.Unlock()
	}()
	if err := s.notify(msg); err != nil {
		return nil, time.Now(), s.fail(err)
	}
	select {
	case a := <-mine:
		return a.msg, a.at, a.err
	case <-s.token:
	}
	defer func() { s.token <- struct{}{} }()
	for {
		// The previous reader may have read our response before it let go.
		select {
		case a := <-mine:
			return a.msg, a.at, a.err
		default:
		}
		if e := s.dead.Load(); e != nil {
			return nil, time.Now(), *e
		}
		line, err := s.readLine()
		at := time.Now()
		if err != nil {
			return nil, at, s.fail(err)
		}
		rid, isResponse := s.classify(line)
		if !isResponse {
			continue
		}
		if rid == id {
			return line, at, nil
		}
		if !s.deliver(rid, arrival{line, at, nil}) {
			s.unexpected.Add(1)
		}
	}
}

// deliver hands an arrival to the caller that waits for its id. It fails when
// nobody does, or when it is the second to one id.
func (s *stdio) deliver(id int64, a arrival) bool {
	s.smu.Lock()
	defer s.smu.Unlock()
	select {
	case s.slots[id] <- a: // nil, and never ready, for an unknown id
		return true
	default:
		return false
	}
}

// classify returns the id of a response; it answers requests from the server.
func (s *stdio) classify(line []byte) (id int64, response bool) {
	var rawID []byte
	var method string
	var reply bool
	if jscan.Members(line, func(k, rest []byte) bool {
		switch string(k) {
		case "id":
			if end := jscan.Skip(rest, 0); end > 0 {
				rawID = rest[:end]
			}
		case "method":
			if end := jscan.Skip(rest, 0); end > 0 {
				method, _ = jscan.String(rest[:end])
			}
		case "result", "error":
			reply = true
		}
		return !reply || rawID == nil // the end of a long result is not needed
	}) != nil {
		if len(line) > 0 {
			s.unexpected.Add(1)
		}
		return 0, false
	}
	if method != "" {
		if rawID != nil {
			_ = s.notify(answer(rawID, method))
		}
		return 0, false
	}
	id, err := strconv.ParseInt(string(rawID), 10, 64)
	if err != nil {
		s.unexpected.Add(1)
	}
	return id, err == nil
}

// answer replies to a request that the server sent to the client.
func answer(id []byte, method string) []byte {
	if method == "ping" {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":{}}`, id)
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"not supported"}}`, id)
}

// fail marks the connection dead and wakes every waiting caller.
func (s *stdio) fail(err error) error {
	if errors.Is(err, io.EOF) {
		err = errors.New("the program closed its output")
	}
	s.dead.CompareAndSwap(nil, &err)
	s.smu.Lock()
	defer s.smu.Unlock()
	for _, waiting := range s.slots {
		select {
		case waiting <- arrival{nil, time.Now(), err}:
		default:
		}
	}
	return err
}

// readLine returns a fresh slice, because a response may be handed to another
// caller while the next one is read.
func (s *stdio) readLine() ([]byte, error) {
	var long []byte
	for {
		part, err := s.in.ReadSlice('\n')
		if err == nil {
			if long == nil {
				return bytes.TrimRight(bytes.Clone(part), "\r\n"), nil
			}
			return bytes.TrimRight(append(long, part...), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if long = append(long, part...); len(long) > maxMessage {
			return nil, errors.New("message too long")
		}
	}
}
