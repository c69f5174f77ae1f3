package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
	"github.com/mcp-relay/relay/internal/verdict"
)

// OnError says what becomes of a message whose record cannot be written.
type OnError string

// The choices. The zero value is Allow.
const (
	// Allow lets the message pass and says loudly that a record was lost.
	Allow OnError = "allow"
	// Block makes Write fail, so that the gate blocks.
	Block OnError = "block"
)

// FileName is the name of the log where the configuration does not say.
const FileName = "audit.jsonl"

// Stderr as Options.Path writes records to Options.Stderr.
const Stderr = "-"

// Options says where records go.
type Options struct {
	Path       string // a file, or Stderr; empty: [FileName] in the relay's state directory
	MaxSizeMB  int    // size in MiB from which the file is rotated; 0: 100
	MaxBackups int    // rotated files that are kept; 0: 5, less: all
	OnError    OnError
	Logger     *slog.Logger
	Stderr     io.Writer // used for Path Stderr only
}

// Defaults of Options.
const (
	defaultMaxSizeMB  = 100
	defaultMaxBackups = 5
)

// complainEvery is how often lost records are reported.
const complainEvery = time.Minute

// Log writes records. It is safe for concurrent use.
type Log struct {
	onError OnError
	logger  *slog.Logger
	path    string

	mu         sync.Mutex
	out        io.Writer // nil: records are dropped, see Discard
	buf        []byte
	waiting    bool   // buf holds records that a timer will write
	torn       bool   // the last write ended inside a line
	lost       uint64 // records that could not be written
	complained time.Time
}

// Open opens the log. It creates the file (0600) and missing directories
// (0700) and leaves the permissions of existing ones as they are. Several
// processes may write to one file. Close the log when done.
func Open(o Options) (*Log, error) {
	switch o.OnError {
	case "":
		o.OnError = Allow
	case Allow, Block:
	default:
		return nil, fmt.Errorf("audit on_error is %q: use allow or block", o.OnError)
	}
	l := &Log{onError: o.OnError, logger: o.Logger, path: o.Path}
	if o.Path == Stderr {
		l.out = o.Stderr
		return l, nil
	}
	if l.path == "" {
		home, err := statefile.Home()
		if err != nil {
			return nil, fmt.Errorf("%w, or the path of the audit log in the configuration", err)
		}
		l.path = filepath.Join(home, FileName)
	}
	if o.MaxSizeMB <= 0 {
		o.MaxSizeMB = defaultMaxSizeMB
	}
	if o.MaxBackups == 0 {
		o.MaxBackups = defaultMaxBackups
	}
	f, err := openFile(l.path, int64(o.MaxSizeMB)<<20, o.MaxBackups)
	if err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	l.out = f
	return l, nil
}

// Discard returns a log that drops every record.
func Discard() *Log { return &Log{onError: Allow} }

// Path returns the file that records are written to, Stderr, or "" for Discard.
func (l *Log) Path() string { return l.path }

// Write writes one record; it is in the hands of the operating system when Write
// returns. When that fails, a log with Block returns the error, and one with
// Allow reports the loss to the logger, at most once a minute, and returns nil.
// Write does not keep r.
//
// A record that nothing was judged (a Decision to allow) may wait for others for
// up to flushAfter in a log with Allow: it is no proof of a verdict, and a
// server that is exempt from scanning is not to pay for one.
func (l *Log) Write(r *Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return nil
	}
	l.buf = appendRecord(l.buf, r, time.Now())
	if l.onError == Allow && r.Event == Decision && r.Action == verdict.Allow && len(l.buf) < maxWaiting {
		if !l.waiting {
			l.waiting = true
			time.AfterFunc(flushAfter, l.flushWaiting)
		}
		return nil
	}
	return l.flush()
}

const (
	flushAfter = 100 * time.Millisecond
	maxWaiting = 32 << 10
)

// flushWaiting writes what waits. What fails is counted and reported.
func (l *Log) flushWaiting() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = false
	_ = l.flush() // only a log with Block returns errors, and there nothing waits
}

// flush writes buf. l.mu is held.
func (l *Log) flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	out := l.buf
	if l.torn {
		out = append([]byte{'\n'}, out...)
	}
	n, err := l.out.Write(out)
	if n > 0 {
		l.torn = n < len(out)
	}
	records := uint64(bytes.Count(l.buf, []byte{'\n'})) //nolint:gosec // a count
	l.buf = l.buf[:0]
	if err == nil {
		return nil
	}
	l.lost += records
	if now := time.Now(); l.complained.IsZero() || now.Sub(l.complained) >= complainEvery {
		l.complained = now
		l.logger.Error("audit records are being lost", "error", err, "path", l.path, "lost", l.lost, "on_error", string(l.onError))
	}
	if l.onError == Block {
		return fmt.Errorf("writing the audit record: %w", err)
	}
	return nil
}

// Lost returns how many records could not be written since Open.
func (l *Log) Lost() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// errClosed is what Write meets after Close.
var errClosed = errors.New("the audit log is closed")

// Close closes the file. Records that are written afterwards are lost.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.flush() // reported by flush
	f, isFile := l.out.(*file)
	if !isFile {
		return nil
	}
	if err := f.close(); err != nil {
		return fmt.Errorf("closing the audit log: %w", err)
	}
	return nil
}
