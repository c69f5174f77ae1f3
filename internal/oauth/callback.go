package oauth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// callback is a web server on this machine that waits for the browser to come
// back (RFC 8252, section 7.3). It answers once.
type callback struct {
	address  string // of the redirect
	listener net.Listener
	server   *http.Server
	host     string
	state    string
	result   chan url.Values // the answer; closed when there were too many strays

	mu       sync.Mutex
	strays   int // requests with another state
	finished bool
}

const (
	callbackPath = "/callback"
	maxStrays    = 20
	maxQuery     = 16 << 10
)

var (
	errListen = errors.New("no port of this machine can be opened for the browser to come back to")
	errStrays = errors.New("too many requests with a wrong state: something on this machine, or a web page, disturbs the login")
	errLate   = errors.New("nobody logged in within the time for it")
)

// await opens a port, a random one if port is 0, and begins to listen.
func await(ctx context.Context, port int, state string) (*callback, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, errListen
	}
	c := &callback{
		address: "http://" + l.Addr().String() + callbackPath, host: l.Addr().String(), state: state,
		listener: l, result: make(chan url.Values, 1),
	}
	c.server = &http.Server{
		Handler: c, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: maxQuery,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // it would go to standard error, with foreign text
	}
	go func() { _ = c.server.Serve(l) }()
	return c, nil
}

// close ends the server, after the page that is being sent.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.listener.Close() // the server may not know it yet
	if c.server.Shutdown(ctx) != nil {
		_ = c.server.Close()
	}
}

// wait returns the parameters that the browser brought with the right state.
func (c *callback) wait(ctx context.Context) (url.Values, error) {
	select {
	case v, ok := <-c.result:
		if !ok {
			return nil, errStrays
		}
		return v, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, errLate
		}
		return nil, fmt.Errorf("waiting for the login: %w", context.Cause(ctx))
	}
}

// ServeHTTP takes the first request that brings the right state. A page of
// another site cannot know the state, nor can another process; both can only
// disturb, for a while.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet || r.URL.Path != callbackPath || r.Host != c.host {
		http.NotFound(w, r)
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !c.take(query) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, page("This is not the answer that the relay waits for."))
		return
	}
	_, _ = io.WriteString(w, page("The relay has the answer. You can close this page and go back to the terminal."))
}

// take hands the parameters over if they are the ones.
func (c *callback) take(query url.Values) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return false
	}
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1 || len(query["state"]) != 1 {
		if c.strays++; c.strays >= maxStrays {
			c.finished = true
			close(c.result)
		}
		return false
	}
	c.finished = true
	c.result <- query // it has room for one
	return true
}

func page(text string) string {
	return "<!doctype html><title>mcp-relay</title><p>" + text + "</p>\n"
}
