package front

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The bounds of a Server.
const (
	headerLimit    = 64 << 10
	idleTimeout    = 120 * time.Second // between two requests on a connection
	maxConnections = 1024
)

// Server serves a Handler on listeners, with deadlines and limits that hold
// before a handler sees a request. It is safe for concurrent use.
type Server struct {
	handler *Handler
	http    *http.Server
	tls     *tls.Config
	slots   chan struct{}
}

// ServerOptions say how a Server speaks.
type ServerOptions struct {
	// CertFile and KeyFile are PEM files for TLS 1.2 and later; both or none.
	CertFile, KeyFile string
}

// NewServer returns a server for a handler. It fails when the files for TLS
// cannot be used.
func NewServer(h *Handler, o ServerOptions) (*Server, error) {
	s := &Server{handler: h, slots: make(chan struct{}, maxConnections)}
	if o.CertFile != "" || o.KeyFile != "" {
		cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("loading the certificate and its key: %w", err)
		}
		s.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true) // streams are few, and HTTP/2 is one more thing to attack
	s.http = &http.Server{
		Handler: h, Protocols: &protocols, TLSConfig: s.tls,
		DisableGeneralOptionsHandler: true, // it answers whoever asks
		ReadHeaderTimeout:            h.limits.headers, ReadTimeout: h.limits.request, WriteTimeout: h.limits.write,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerLimit,
		ErrorLog: slog.NewLogLogger(serverLog{h.log.Handler()}, slog.LevelError),
	}
	return s, nil
}

// Serve serves one listener until Shutdown, which is no error. It closes the
// listener. TLS, where it was asked for, is for TCP: a unix socket has none. The
// error wraps ErrPublic when nobody is asked for a token and other machines can
// reach the listener.
func (s *Server) Serve(l net.Listener) error {
	if s.handler.opts.Tokens == nil && l.Addr().Network() != "unix" && !Loopback(l.Addr().String()) {
		_ = l.Close()
		return fmt.Errorf("serving without tokens: %w", ErrPublic)
	}
	limited := &slotListener{Listener: l, slots: s.slots, done: make(chan struct{})}
	var err error
	if s.tls != nil && l.Addr().Network() != "unix" {
		err = s.http.ServeTLS(limited, "", "")
	} else {
		err = s.http.Serve(limited)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving HTTP: %w", err)
}

// Shutdown ends the server: it drains the handler and then ends everything. The
// error is the context's when requests were cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.handler.Drain(ctx)
	if serr := s.http.Shutdown(ctx); serr != nil {
		err = serr
		_ = s.http.Close() // what is left was waited for
	}
	s.handler.Close()
	return err //nolint:wrapcheck // the context's
}

// slotListener bounds how many connections are open, over all listeners of a
// server: each costs a descriptor that children and scanners need.
type slotListener struct {
	net.Listener
	slots chan struct{}
	once  sync.Once
	done  chan struct{}
}

// Accept implements net.Listener.
func (l *slotListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slotConn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close implements net.Listener.
func (l *slotListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

type slotConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *slotConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// serverLog takes what net/http has to say. That may quote a peer, so it is
// quoted once more and cut.
type serverLog struct{ slog.Handler }

// Handle implements slog.Handler.
func (s serverLog) Handle(ctx context.Context, r slog.Record) error {
	const longest = 4096
	text := fmt.Sprintf("%+q", r.Message[:min(len(r.Message), longest)])
	level, message := slog.LevelDebug, "the HTTP server reports"
	if strings.HasPrefix(text, `"http: panic`) {
		level, message = slog.LevelError, "an HTTP request failed"
	}
	if !s.Enabled(ctx, level) {
		return nil
	}
	out := slog.NewRecord(r.Time, level, message, 0)
	out.AddAttrs(slog.String("text", text))
	return s.Handler.Handle(ctx, out)
}
