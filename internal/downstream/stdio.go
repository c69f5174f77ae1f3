package downstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/protocol"
)

const (
	// stallLimit is how long a child may leave its standard input unread while
	// something is in it. Then it is ended.
	stallLimit = 30 * time.Second
	// pendingLimit is how many bytes may wait for a child that does not read.
	// Calls beyond that end with peer.ErrBusy.
	pendingLimit = 8 << 20
	// drainTime is how long the output of a child that has exited is read, in
	// case something else holds the pipe open.
	drainTime = 250 * time.Millisecond
	// endGrace is for a child that closed its standard output but goes on.
	endGrace = time.Second
)

// Stdio connects to a server that is a child process (MCP, stdio transport).
type Stdio struct {
	Name    string // the server's name in the configuration
	Command string // a path, or a name that is looked up in the PATH of Env
	Args    []string
	Env     []string // the complete environment
	Dir     string
	// MaxMessage is how many bytes one message from the server may have.
	MaxMessage int
	// Shape names the protocol's members, see jsonrpc.Parse.
	Shape  *jsonrpc.Shape
	Warden *process.Warden
	Log    *slog.Logger
	// Around, when set, is given what starts the child and calls it on the thread
	// that the child is to descend from: it confines the child.
	Around func(start func()) error
	// Stall is how long the server may leave its input unread; 0: 30 s.
	Stall time.Duration
}

// Dial starts the child. The child lives until Close or its own end: ctx is for
// the start only. The Instance has a method Stderr() string that returns the
// end of what the child wrote to its standard error, made printable; it is for
// the people who run the relay and must not be sent to clients.
func (s Stdio) Dial(ctx context.Context, h peer.Handler) (Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting server %q: %w", s.Name, err)
	}
	child, err := process.Start(process.Spec{
		Path: s.Command, Args: s.Args, Name: s.Name, Dir: s.Dir, Env: s.Env, Around: s.Around,
	}, s.Warden)
	if err != nil {
		return nil, startError(s.Name, s.Command, err)
	}
	book := newCalls()
	i := &stdioInstance{
		calls: book,
		inbox: inbox{calls: book, handler: h, shape: s.Shape},
		child: child,
		log:   s.Log.With("server", s.Name),
		done:  make(chan struct{}),
		words: newTail(),
	}
	stall := s.Stall
	if stall <= 0 {
		stall = stallLimit
	}
	i.out = jsonrpc.NewWriter(child.Stdin(), jsonrpc.WriterOptions{Limit: pendingLimit, Stall: stall, OnStall: i.stalled})
	go i.words.drain(child.Stderr(), i.log)
	go i.read(jsonrpc.NewReader(child.Stdout(), s.MaxMessage))
	go i.watch()
	return i, nil
}

// stdioInstance is a running child.
type stdioInstance struct {
	calls *calls
	inbox inbox
	child *process.Process
	out   *jsonrpc.Writer
	words *tail // of its standard error
	log   *slog.Logger

	done chan struct{}
	mu   sync.Mutex
	err  error // why the connection ended; the first reason counts
}

var _ Instance = (*stdioInstance)(nil)

// Call implements Instance.
func (i *stdioInstance) Call(c peer.Cleared, by peer.Caller) peer.Call {
	call, ok := i.calls.begin(by, nil)
	if !ok {
		return call
	}
	frame, err := peer.AppendRequest(make([]byte, 0, frameSize(c)), call.ID(), c)
	if err != nil {
		call.fail(err)
		return call
	}
	if err := i.out.Offer(frame); err != nil {
		call.fail(sendError(err))
	}
	return call
}

// Notify implements Instance.
func (i *stdioInstance) Notify(c peer.Cleared) error {
	frame, err := peer.AppendRequest(make([]byte, 0, frameSize(c)), jsonrpc.ID{}, c)
	return i.send(frame, err)
}

// Answer implements Instance.
func (i *stdioInstance) Answer(id jsonrpc.ID, c peer.Cleared) error {
	frame, err := peer.AppendResponse(make([]byte, 0, frameSize(c)), id, c)
	return i.send(frame, err)
}

func (i *stdioInstance) send(frame []byte, err error) error {
	if err != nil {
		return fmt.Errorf("sending to the server: %w", err)
	}
	if err := i.out.Offer(frame); err != nil {
		if errors.Is(err, jsonrpc.ErrFull) {
			return ErrNoRoom
		}
		return sendError(err)
	}
	return nil
}

// SetProtocolVersion implements Instance. Standard streams have no place for the
// version, but what a server may say depends on the era.
func (i *stdioInstance) SetProtocolVersion(v string) {
	i.inbox.modern.Store(protocol.EraOf(v) == protocol.Modern)
}

// Done implements Instance.
func (i *stdioInstance) Done() <-chan struct{} { return i.done }

// Err implements Instance.
func (i *stdioInstance) Err() error {
	select {
	case <-i.done:
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.err
	default:
		return nil
	}
}

// Stderr returns the last 4 KiB of the child's standard error, made printable.
// When the child has exited, that is the end of all that it wrote, even if the
// reader of it lags behind: Stderr waits for it, for a second at most.
func (i *stdioInstance) Stderr() string {
	i.words.settle(i.child.Done())
	return i.words.String()
}

// Close implements Instance: what was accepted is written, standard input is
// closed, and the child is ended with signals if it does not end by itself.
func (i *stdioInstance) Close(grace time.Duration) {
	i.because(ErrClosed)
	_ = i.out.Close() // an error of the writer has ended the connection already
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := i.out.Flush(ctx); err != nil {
		i.log.Debug("the server did not take all that was sent", "error", err)
	}
	i.child.Stop(grace)
	<-i.done
}

// stalled ends a child that does not read what it is sent.
func (i *stdioInstance) stalled() {
	i.because(errStalled)
	i.log.Warn("the server does not read what it is sent: ending it", "pid", i.child.PID())
	i.child.Kill()
}

// because notes why the connection ends.
func (i *stdioInstance) because(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err == nil {
		i.err = err
	}
}

// read is the connection's reader. It ends with the child's standard output.
func (i *stdioInstance) read(frames *jsonrpc.Reader) {
	for {
		frame, err := frames.Next()
		if err == nil {
			i.inbox.frame(frame)
			continue
		}
		var long *jsonrpc.TooLongError
		if !errors.As(err, &long) {
			break // EOF, or the pipe was closed
		}
		i.inbox.tooLong(long.Head)
	}
	i.finish()
}

// finish ends the connection when nothing more comes from the child. The calls
// end last, so that who learns of it from a call finds Done closed and in Err
// and Stderr why.
func (i *stdioInstance) finish() {
	select {
	case <-i.child.Done():
	case <-time.After(endGrace): // it closed its output and goes on
		i.calls.close(peer.ErrGone) // without waiting for the rest
		i.child.Stop(endGrace)
	}
	err := i.child.ExitError()
	if err == nil {
		err = errExited
	}
	i.because(fmt.Errorf("%w: %w", peer.ErrGone, err))
	_ = i.out.Close()            // an error of the writer is news no more
	_ = i.child.Stdout().Close() // nothing more is read from it
	close(i.done)
	i.calls.close(peer.ErrGone)
}

// watch makes the reader end soon after the child, even if a process that the
// child left behind holds its standard output open.
func (i *stdioInstance) watch() {
	<-i.child.Done()
	err := i.child.Stdout().SetReadDeadline(time.Now().Add(drainTime))
	if err != nil && !errors.Is(err, os.ErrClosed) {
		i.child.Kill() // no deadlines on this system: end whoever holds it
	}
}

// frameSize is a little more than a frame needs around its content.
func frameSize(c peer.Cleared) int { return len(c.Body()) + len(c.Method()) + 80 }
