package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Relay is what answers requests. Its methods may be called by several
// goroutines at once; their errors are for the person who asks.
type Relay interface {
	Status() Status
	Pending(ctx context.Context) (Pending, error)
	// Reload takes the file over that has the digest, and returns what then still
	// waits. It fails when the file has another digest by now.
	Reload(ctx context.Context, digest string) (Pending, error)
}

const (
	// patience is how long a client may take to ask and to read the answer.
	patience = 5 * time.Second
	// reloadTime bounds the work for one request: new scanners have to be ready.
	reloadTime = 2 * time.Minute
	// maxClients is how many are served at a time; others wait.
	maxClients = 8
)

// Server listens for the person who runs the relay. Create it with Listen; Serve
// ends it.
type Server struct {
	listener *net.UnixListener
	path     string
	log      *slog.Logger
	trusted  func(*net.UnixConn) bool
	patience time.Duration
}

// Serve answers requests until ctx ends, removes the socket, and returns when the
// last one was answered.
func (s *Server) Serve(ctx context.Context, r Relay) {
	stop := context.AfterFunc(ctx, func() { _ = s.listener.Close() }) // nothing is lost
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	room := make(chan struct{}, maxClients)
	for {
		conn, err := s.listener.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("a connection to the control socket failed", slog.Any("error", err))
			select {
			case <-time.After(time.Second): // out of descriptors, most likely
				continue
			case <-ctx.Done():
				return
			}
		}
		room <- struct{}{}
		clients.Go(func() {
			defer func() { <-room }()
			s.serve(ctx, conn, r)
		})
	}
}

// serve answers the one request of a connection.
func (s *Server) serve(ctx context.Context, conn *net.UnixConn, r Relay) {
	defer func() { _ = conn.Close() }()
	if !s.trusted(conn) {
		s.log.Warn("refused a connection of another user to the control socket")
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(s.patience)) // a socket takes deadlines
	line, err := bufio.NewReaderSize(io.LimitReader(conn, maxRequest), maxRequest).ReadSlice('\n')
	if err != nil {
		return // it hung up, or says too much
	}
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	answer, err := json.Marshal(respond(ctx, line, r))
	if err != nil || len(answer) >= maxResponse {
		answer = []byte(`{"error":"the answer is too long"}`)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(s.patience))
	_, _ = conn.Write(append(answer, '\n')) // who does not read learns nothing
}

func respond(ctx context.Context, line []byte, r Relay) Response {
	request, err := parseRequest(line)
	if err != nil {
		return Response{Error: err.Error()}
	}
	var pending Pending
	switch request.Op {
	case OpStatus:
		status := r.Status()
		return Response{Status: &status}
	case OpPending:
		pending, err = r.Pending(ctx)
	default:
		pending, err = r.Reload(ctx, request.Digest)
	}
	if err != nil {
		return Response{Error: err.Error()}
	}
	return Response{Pending: &pending}
}
