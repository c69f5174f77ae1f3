package conformance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"
)

// link is a connection to a running scanner.
type link struct {
	*Client

	child *child // nil within the process
	stop  func()
}

// connect starts a scanner.
func (s *suite) connect(ctx context.Context) (*link, error) {
	if s.program == nil {
		client, stop, err := s.serve()
		if err != nil {
			return nil, err
		}
		return &link{Client: client, stop: stop}, nil
	}
	return s.program.connect(ctx)
}

func (p *program) connect(ctx context.Context) (*link, error) {
	c, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := c.dial()
	if err != nil {
		c.kill()
		return nil, err
	}
	go empty(conn)
	return &link{Client: NewClient(conn), child: c, stop: func() { conn.Close(); c.kill() }}, nil
}

// Start starts a scanner's program and returns a client of it. Call stop when
// done: it ends the process.
func Start(ctx context.Context, path string, args []string) (client *Client, stop func(), err error) {
	var o Options
	l, err := (&program{path: path, args: args, opts: o.withDefaults()}).connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return l.Client, l.stop, nil
}

// Serve serves s within the process, through the real codec, and returns a client
// of it. Call stop when done.
func Serve(s scanner.Scanner) (client *Client, stop func(), err error) {
	server, err := scanner.NewServer(s, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, fmt.Errorf("serve the scanner: %w", err)
	}
	listener := bufconn.Listen(1 << 20)
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) }) // a listener in memory does not fail
	conn, err := grpc.NewClient("passthrough:scanner",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(2*handshake.MaxMessage)))
	if err != nil {
		server.Stop()
		return nil, nil, fmt.Errorf("connect to the scanner: %w", err)
	}
	return NewClient(conn), func() {
		conn.Close()
		server.Stop()
		served.Wait()
	}, nil
}

// alive reports whether the scanner's process runs.
func (l *link) alive() bool { return l.child == nil || !l.child.gone(0) }

// ended tells whether a call failed because the process ended, and what it left
// to say.
func (l *link) ended(err error) (words string, ended bool) {
	e, ok := errors.AsType[*scanner.Error](err)
	if l.child == nil || !ok || e.Reason != scanner.ReasonUnavailable && e.Reason != scanner.ReasonInternal {
		return "", false
	}
	wait := time.Duration(0)
	if !l.detailed(err) {
		wait = 500 * time.Millisecond // the connection ends before the process is reaped
	}
	if !l.child.gone(wait) {
		return "", false
	}
	return l.child.lastWords(), true
}

// detailed reports whether a failed call said why in the way of the contract. A
// call that ended on this side could not.
func (*link) detailed(err error) bool {
	e, ok := errors.AsType[*callError](err)
	return !ok || e.detailed
}
