package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Errors of a [Writer].
var (
	// ErrFull: the peer does not read fast enough, and the limit is reached.
	ErrFull = errors.New("too many bytes are pending")
	// ErrClosed: Close was called.
	ErrClosed = errors.New("writer is closed")
	// ErrNotOneLine: the frame is empty, or has a line end inside a string.
	// Nothing of it was written.
	ErrNotOneLine = errors.New("message is not one line")
)

// WriterOptions say what a Writer does about a slow peer.
type WriterOptions struct {
	// Limit is how many bytes may be pending, that is accepted but not yet
	// taken by the peer. One frame is always accepted when nothing is pending.
	// Below 1: each frame waits for the one before.
	Limit int
	// Stall and OnStall: OnStall is called, once in the life of the Writer and
	// on its own goroutine, when bytes are pending and the peer took none of
	// them for this long. 0 or nil: never.
	Stall   time.Duration
	OnStall func()
}

// chunk is how many bytes the background goroutine writes at a time: progress
// is seen in steps of this size.
const chunk = 64 << 10

// Writer writes frames, each as one line, in the order in which they were
// accepted. It may be used by many goroutines.
//
// A slow peer does not block the caller, except where Write says so. When
// nothing is pending the caller writes itself, but no more than the descriptor
// takes without blocking; the rest, and what comes meanwhile, is written by one
// background goroutine in as few system calls as it can. There is no goroutine
// while nothing is pending.
//
// The first error of the underlying writer closes the Writer: what is pending
// is dropped and every later call returns that error.
type Writer struct {
	out     output
	options WriterOptions

	mu       sync.Mutex
	changed  sync.Cond // pending, flushing, serving or err changed
	queue    []byte    // accepted, nobody writes it yet
	spare    []byte    // the buffer that queue uses next
	inFlight int       // bytes taken from queue and not yet written
	flushing bool      // somebody writes
	closed   bool
	err      error
	// Writers that wait are served in the order in which they came.
	nextTicket, serving uint64
	stalled             bool // OnStall was called
}

// output writes bytes of a line stream. Only one goroutine calls it at a time.
type output interface {
	// try writes what can be written without blocking, possibly nothing.
	try(p []byte) (int, error)
	// write writes some bytes, at least one unless it fails, and may block.
	write(p []byte) (int, error)
}

// NewWriter returns a Writer on w. It does not close w. With an *os.File (a
// pipe, a socket, a terminal) on Unix the caller of Write writes itself; with
// any other writer the background goroutine does.
func NewWriter(w io.Writer, o WriterOptions) *Writer {
	var out output = plainOutput{w}
	if f, ok := w.(*os.File); ok {
		out = newFileOutput(f)
	}
	writer := &Writer{out: out, options: o}
	writer.changed.L = &writer.mu
	return writer
}

// Write accepts a frame and returns without waiting for the peer, unless more
// than Limit bytes would be pending: then it waits for its turn. It adds the
// line's end, and removes line ends between the frame's tokens. It keeps no
// reference to frame. A nil error means accepted, not that the peer has it.
func (w *Writer) Write(frame []byte) error { return w.add(frame, true) }

// Offer is like Write but returns ErrFull where Write would wait.
func (w *Writer) Offer(frame []byte) error { return w.add(frame, false) }

// Compose is like Write for a frame that build appends to dst, straight into the
// Writer's own buffer: a long message is not copied twice. size is about how
// many bytes build appends. build must not call the Writer.
func (w *Writer) Compose(size int, build func(dst []byte) ([]byte, error)) error {
	w.mu.Lock()
	if err := w.admit(size+1, true); err != nil {
		w.mu.Unlock()
		return err
	}
	w.room(size)
	start := len(w.queue)
	queue, err := build(grow(w.queue, size+1, 0))
	if err == nil {
		frame := queue[start:]
		if !oneLine(frame) {
			frame = Compact(frame)
			queue = append(queue[:start], frame...)
		}
		if len(frame) == 0 || !oneLine(frame) {
			err = ErrNotOneLine
		}
	}
	if err != nil {
		w.queue = queue[:start]
		w.mu.Unlock()
		return err
	}
	w.queue = append(queue, '\n')
	return w.start()
}

func (w *Writer) add(frame []byte, wait bool) error {
	if !oneLine(frame) {
		frame = Compact(frame)
	}
	if len(frame) == 0 || !oneLine(frame) {
		return ErrNotOneLine
	}
	w.mu.Lock()
	if err := w.admit(len(frame)+1, wait); err != nil {
		w.mu.Unlock()
		return err
	}
	w.room(len(frame))
	w.queue = append(append(grow(w.queue, len(frame)+1, 0), frame...), '\n')
	return w.start()
}

// room takes a large buffer for a large frame. The lock is held.
func (w *Writer) room(size int) {
	if len(w.queue) == 0 && size >= keepBuffer {
		w.queue, w.spare = borrow(), w.queue
	}
}

// start flushes the queue unless somebody does: as far as the peer takes it
// here, the rest in the background. The lock is held, and released.
func (w *Writer) start() error {
	if w.flushing {
		w.mu.Unlock()
		return nil
	}
	w.flushing = true
	batch := w.take()
	w.mu.Unlock()

	n, err := w.out.try(batch)

	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrote(n, err)
	if w.err == nil && w.inFlight+len(w.queue) > 0 {
		go w.flush(batch, n)
		return nil
	}
	w.rest(batch)
	return w.err
}

// admit waits until size more bytes may be pending. The lock is held.
func (w *Writer) admit(size int, wait bool) error {
	if !wait && w.nextTicket != w.serving {
		return w.refusal(ErrFull)
	}
	ticket := w.nextTicket
	for w.err == nil && !w.closed && (ticket != w.serving || !w.fits(size)) {
		if !wait {
			return ErrFull
		}
		if ticket == w.nextTicket {
			w.nextTicket++
		}
		w.changed.Wait()
	}
	if ticket < w.nextTicket {
		w.serving++
		w.changed.Broadcast()
	}
	return w.refusal(nil)
}

// refusal returns why no frame is accepted any more, or otherwise.
func (w *Writer) refusal(otherwise error) error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return ErrClosed
	}
	return otherwise
}

func (w *Writer) fits(size int) bool {
	pending := w.inFlight + len(w.queue)
	return pending == 0 || pending+size <= w.options.Limit
}

// take makes the queue the batch that is being written. The lock is held.
func (w *Writer) take() []byte {
	batch := w.queue
	w.queue, w.spare = w.spare[:0], nil
	w.inFlight = len(batch)
	return batch
}

// wrote notes progress. The lock is held.
func (w *Writer) wrote(n int, err error) {
	w.inFlight -= n
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("write a message: %w", err)
		w.inFlight, w.queue, w.spare = 0, nil, nil
	}
	w.changed.Broadcast()
}

// rest ends a flush. The lock is held.
func (w *Writer) rest(batch []byte) {
	w.flushing = false
	w.recycle(batch)
	w.changed.Broadcast()
}

func (w *Writer) recycle(batch []byte) {
	if cap(batch) >= keepBuffer {
		giveBack(batch)
		return
	}
	w.spare = batch[:0]
}

// flush writes the batch from done on, and then whatever is in the queue. It
// runs on the background goroutine and ends when nothing is pending.
func (w *Writer) flush(batch []byte, done int) {
	var stall *time.Timer
	if w.options.Stall > 0 && w.options.OnStall != nil {
		stall = time.AfterFunc(w.options.Stall, w.onStall)
		defer stall.Stop()
	}
	for {
		failed := false
		for done < len(batch) && !failed {
			n, err := w.out.write(batch[done:min(len(batch), done+chunk)])
			done += n
			if stall != nil {
				stall.Reset(w.options.Stall)
			}
			w.mu.Lock()
			w.wrote(n, err)
			failed = w.err != nil
			w.mu.Unlock()
		}
		w.mu.Lock()
		if failed || len(w.queue) == 0 {
			w.rest(batch)
			w.mu.Unlock()
			return
		}
		w.recycle(batch)
		batch, done = w.take(), 0
		w.mu.Unlock()
	}
}

func (w *Writer) onStall() {
	w.mu.Lock()
	call := !w.stalled && w.err == nil && w.inFlight > 0
	w.stalled = w.stalled || call
	w.mu.Unlock()
	if call {
		w.options.OnStall()
	}
}

// Flush waits until nothing is pending. It returns the error that closed the
// Writer, if there is one, or the context's. It may be called after Close.
func (w *Writer) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.changed.Broadcast()
	})
	defer stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.err == nil && w.flushing {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("wait for the peer to read: %w", err)
		}
		w.changed.Wait()
	}
	return w.err
}

// Close makes the Writer refuse further frames and ends the waits of Write. It
// does not wait: what was accepted is still written in the background for as
// long as the peer takes it. To end in order, call Flush with a deadline, then
// Close, then close the underlying file, which ends a write that blocks. It
// returns the error that closed the Writer earlier, if there is one.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.changed.Broadcast()
	return w.err
}

// plainOutput is a writer of which nothing is known.
type plainOutput struct{ w io.Writer }

func (plainOutput) try([]byte) (int, error) { return 0, nil }

func (o plainOutput) write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	return max(0, min(n, len(p))), err //nolint:wrapcheck // the Writer wraps it
}
