package downstream

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/printable"
)

const (
	tailSize  = 4 << 10 // bytes of standard error that are kept
	lineLimit = 1 << 10 // bytes of one line that are logged

	linesAtOnce = 100 // lines that are logged in one logWindow
	logWindow   = 5 * time.Second

	// lastWordsTime is how long the last words of a child that has exited are
	// waited for. They are in the pipe by then, so it matters only if something
	// that the child left behind holds the pipe open.
	lastWordsTime = time.Second
	// settleTime is how long somebody who asks about a living child waits, so
	// that what it wrote just before is read, or its end is noticed.
	settleTime = 50 * time.Millisecond
)

// tail reads a child's standard error to its end, so that the child never waits
// for a reader, and keeps the last of it.
type tail struct {
	ended chan struct{} // closed when nothing more will be read

	mu   sync.Mutex
	kept []byte
}

func newTail() *tail { return &tail{ended: make(chan struct{})} }

// settle waits, for a moment at most, until the end of what a child wrote is
// kept: all of it if the child has exited, otherwise what it wrote until now.
func (t *tail) settle(exited <-chan struct{}) {
	select {
	case <-t.ended:
		return
	case <-exited:
	case <-time.After(settleTime):
		select {
		case <-exited:
		default:
			return
		}
	}
	select {
	case <-t.ended:
	case <-time.After(lastWordsTime):
	}
}

// drain reads r until it ends and closes it. Lines are logged at level debug,
// no more than a few a second and none at full length.
func (t *tail) drain(r io.ReadCloser, log *slog.Logger) {
	defer close(t.ended)
	defer func() { _ = r.Close() }()                                   // it is at its end
	in := bufio.NewReaderSize(io.TeeReader(r, (*keeper)(t)), tailSize) // a question has no end of line, and is kept
	var window time.Time
	logged, skipped, inLine := 0, 0, false
	for {
		part, err := in.ReadSlice('\n')
		if len(part) > 0 && !inLine {
			if now := time.Now(); now.Sub(window) > logWindow {
				window, logged = now, 0
			}
			if logged++; logged <= linesAtOnce {
				line := strings.TrimRight(string(part), "\r\n")
				log.Debug("server wrote to stderr", "text", printable.Escape(line, lineLimit), "skipped", skipped)
				skipped = 0
			} else {
				skipped++
			}
		}
		inLine = errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !inLine {
			return
		}
	}
}

// keeper is a tail as a writer of what it keeps.
type keeper tail

var _ io.Writer = (*keeper)(nil)

// Write keeps the last of part. It never fails.
func (k *keeper) Write(part []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, part...)
	if surplus := len(k.kept) - tailSize; surplus > 0 {
		k.kept = append(k.kept[:0], k.kept[surplus:]...)
	}
	return len(part), nil
}

// String returns what is kept. Its only control character is LF.
func (t *tail) String() string {
	t.mu.Lock()
	kept := string(t.kept)
	t.mu.Unlock()
	lines := strings.Split(strings.TrimRight(kept, "\r\n"), "\n")
	for n, line := range lines {
		lines[n] = printable.Escape(strings.TrimSuffix(line, "\r"), tailSize)
	}
	return strings.Join(lines, "\n")
}
