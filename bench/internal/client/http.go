package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

// httpT speaks Streamable HTTP with one keep-alive connection per lane and its
// own HTTP/1.1 code: net/http's client adds goroutine switches and allocations
// that would hide the differences to be measured.
type httpT struct {
	addr, host, path string
	headers          string
	version          string
	session          string
	deadline         atomic.Int64
	lanes            []lane
}

type lane struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

// HTTP returns a client for an MCP endpoint. headers are extra header lines
// ("Name: value") sent with every request.
func HTTP(endpoint string, headers []string, lanes int) (*Client, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q: want http://host:port/path", endpoint)
	}
	t := &httpT{addr: u.Host, host: u.Host, path: u.RequestURI(), lanes: make([]lane, lanes)}
	if u.Port() == "" {
		t.addr += ":80"
	}
	for _, h := range headers {
		t.headers += h + "\r\n"
	}
	return newClient(t, lanes), nil
}

func (t *httpT) setVersion(v string) { t.version = v }

func (t *httpT) setDeadline(d time.Time) {
	t.deadline.Store(d.UnixNano())
	for i := range t.lanes {
		if c := t.lanes[i].conn; c != nil {
			_ = c.SetDeadline(d)
		}
	}
}

func (t *httpT) close() {
	for i := range t.lanes {
		t.lanes[i].drop()
	}
}

func (l *lane) drop() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

func (t *httpT) notify(msg []byte) error {
	_, _, err := t.roundTrip(0, -1, "notifications/initialized", "", msg)
	return err
}

var errStale = errors.New("connection closed before any response byte")

func (t *httpT) roundTrip(n int, id int64, method, name string, msg []byte) ([]byte, time.Time, error) {
	l := &t.lanes[n]
	fresh := l.conn == nil
	for {
		if l.conn == nil {
			dialer := net.Dialer{Timeout: 10 * time.Second}
			c, err := dialer.DialContext(context.Background(), "tcp", t.addr)
			if err != nil {
				return nil, time.Now(), err
			}
			l.conn, l.in = c, bufio.NewReaderSize(c, 64<<10)
		}
		if d := t.deadline.Load(); d != 0 {
			_ = l.conn.SetDeadline(time.Unix(0, d))
		}
		res, at, err := t.exchange(l, id, method, name, msg)
		if err == nil {
			return res, at, nil
		}
		if _, ok := errors.AsType[*RPCError](err); !ok {
			l.drop()
		}
		// A server may close a connection that was idle; that is no fault.
		if errors.Is(err, errStale) && !fresh {
			fresh = true
			continue
		}
		return nil, at, err
	}
}

// request appends the request for a message.
func (t *httpT) request(b []byte, method, name string, msg []byte) []byte {
	b = append(b, "POST "...)
	b = append(b, t.path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, t.host...)
	b = append(b, "\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"...)
	b = append(b, t.headers...)
	if t.version != "" {
		b = append(b, "Mcp-Protocol-Version: "...)
		b = append(b, t.version...)
		b = append(b, "\r\n"...)
	}
	if t.version == Modern {
		b = append(b, "Mcp-Method: "...)
		b = append(b, method...)
		b = append(b, "\r\n"...)
		if name != "" {
			b = append(b, "Mcp-Name: "...)
			b = append(b, name...)
			b = append(b, "\r\n"...)
		}
	}
	if t.session != "" {
		b = append(b, "Mcp-Session-Id: "...)
		b = append(b, t.session...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(msg)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, msg...)
}

func (t *httpT) exchange(l *lane, id int64, method, name string, msg []byte) ([]byte, time.Time, error) {
	l.out = t.request(l.out[:0], method, name, msg)
	if _, err := l.conn.Write(l.out); err != nil {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			err = errStale
		}
		return nil, time.Now(), err
	}
	h, err := readHead(l.in)
	if err != nil {
		return nil, time.Now(), err
	}
	if h.session != "" {
		t.session = h.session
	}
	body := h.body(l.in)
	var res []byte
	var at time.Time
	if h.sse && id >= 0 && h.status == 200 {
		res, at, err = t.readEvents(l, body, id)
	} else {
		l.body, err = readAll(body, l.body[:0], h.length)
		res, at = l.body, time.Now()
	}
	if h.chunked && err == nil {
		err = skipTrailer(l.in)
	}
	if h.close {
		l.drop()
	}
	if err != nil {
		return nil, at, err
	}
	if h.status/100 != 2 {
		// An error response may travel with an error status.
		if raw := jscan.Get(res, "error"); raw != nil {
			return nil, at, &RPCError{clip(raw)}
		}
		return nil, at, fmt.Errorf("HTTP %d: %s", h.status, clip(bytes.TrimSpace(res)))
	}
	if id < 0 {
		return nil, at, nil
	}
	// An event was matched by its id already.
	if h.sse {
		return res, at, nil
	}
	if got := string(jscan.Get(res, "id")); got != strconv.FormatInt(id, 10) {
		return nil, at, fmt.Errorf("response to id %s, want %d: %s", got, id, clip(res))
	}
	return res, at, nil
}
