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

	"github.com/mcp-relay/relay/internal/verdict"
)

// Log writes records. It is safe for concurrent use.
type Log struct {
	onError OnError
	logger  *slog.Logger
	path    string

	mu     sync.Mutex
	out    io.Writer // nil: records are dropped, see Discard
	file   *file     // out, when that is a file
	chain  *chain    // nil: records are not chained
	header *header   // with chain
	flood  flood

	buf     []byte // whole lines that are not written yet
	before  chain  // the state of chain before buf
	notes   []Record
	noted   int    // lines at the beginning of buf that are notes, of notes and of losses
	waiting bool   // buf holds records that a timer will write
	heading bool   // a timer will note the head
	failing bool   // the last attempt to write failed
	torn    bool   // the last write ended inside a line
	lost    uint64 // records that could not be written
	unsaid  uint64 // of these, those of which no record says so
	saying  uint64 // of these, those of which a line in buf does

	complained time.Time
	latest     time.Time // of the last record
	closed     bool
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
// up to flushAfter: it is no proof of a verdict, and a server that is exempt from
// scanning is not to pay for one. When what waited cannot be written, nothing
// waits until something can be. What repeats itself in a flood may be counted
// instead, see flood.
func (l *Log) Write(r *Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return nil
	}
	now := time.Now()
	if !l.failing && !l.closed {
		counted, first := l.flood.counts(r, now)
		if first {
			time.AfterFunc(window, l.flushFlood)
		}
		if counted {
			return nil
		}
	}
	if err := l.add(r, now); err != nil {
		return l.missed(1, err)
	}
	if r.Event == Decision && r.Action == verdict.Allow && !l.failing && len(l.buf) < maxWaiting {
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
	// usual is about how long a line is.
	usual = 512
)

// add puts a record into the buffer, after what has to be said before it. The
// error is that of a file that cannot be opened anew. l.mu is held.
func (l *Log) add(r *Record, now time.Time) error {
	if len(l.buf) == 0 {
		// A chain begins where it was opened, even when somebody else has turned
		// that file since: its first line is to be its first, not that it goes on.
		if l.chain == nil || l.chain.seq > 0 {
			if err := l.turn(); err != nil {
				return err
			}
		}
		if l.chain != nil {
			l.before = *l.chain
		}
		for i := range l.notes {
			l.line(&l.notes[i], now)
		}
		l.noted, l.saying = len(l.notes), l.unsaid
		if l.unsaid > 0 {
			l.line(&Record{Event: Lost, Count: l.unsaid}, now)
			l.noted++
		}
	}
	l.line(r, now)
	l.latest = now
	return nil
}

// turn changes to another file where there is reason to, and notes it.
func (l *Log) turn() error {
	if l.file == nil {
		return nil
	}
	t, err := l.file.turn(usual)
	if err != nil {
		return err
	}
	if l.chain == nil || !t.moved {
		return nil
	}
	how := Record{Event: Continued, Reason: "followed", Since: l.latest}
	if t.backup != "" {
		how.Reason, how.Target = "rotated", t.backup
	}
	l.notes = append(l.notes, how)
	for _, name := range t.pruned {
		l.notes = append(l.notes, Record{Event: Pruned, Reason: "max_backups", Target: name})
	}
	if len(t.pruned) > 0 {
		stem, ext := stemOf(l.path)
		if end, ok := rotatedAt(filepath.Base(stem), ext, t.pruned[len(t.pruned)-1]); ok {
			go l.header.forget(end)
		}
	}
	return nil
}

// line appends one record to the buffer.
func (l *Log) line(r *Record, now time.Time) {
	start := len(l.buf)
	l.buf = appendRecord(l.buf, r, now)
	if l.chain != nil {
		l.buf = l.chain.seal(l.buf, start)
	}
}

// flushWaiting writes what waits. What fails is counted and reported, and from
// then on nothing waits.
func (l *Log) flushWaiting() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = false
	_ = l.flush() // the next Write learns of it
}

// flushFlood writes what was counted in a window.
func (l *Log) flushFlood() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sum()
}

// sum writes the summaries of what was counted. l.mu is held.
func (l *Log) sum() {
	if l.closed {
		return
	}
	now := time.Now()
	all := l.flood.summaries()
	for i := range all {
		if err := l.add(&all[i], now); err != nil {
			_ = l.missed(1, err) // reported by missed
		}
	}
	_ = l.flush() // as above
}

// flush writes buf. l.mu is held.
func (l *Log) flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	out, lead := l.buf, 0
	if l.torn {
		out, lead = append([]byte{'\n'}, out...), 1
	}
	n, err := l.out.Write(out)
	if n > 0 {
		l.torn = out[n-1] != '\n'
	}
	if err == nil {
		l.buf, l.notes, l.failing = l.buf[:0], nil, false
		l.unsaid -= l.saying
		l.noteHeadLater()
		return nil
	}
	done := l.buf[:max(n-lead, 0)]
	written := bytes.Count(done, []byte{'\n'})
	all := bytes.Count(l.buf, []byte{'\n'})
	l.rewind(done, written)
	if written >= l.noted {
		l.notes = nil
		l.unsaid -= l.saying
	} else {
		l.notes = l.notes[min(written, len(l.notes)):]
	}
	l.buf = l.buf[:0]
	return l.missed(all-max(written, l.noted), err)
}

// rewind takes the chain back to the last line that was written whole.
func (l *Log) rewind(done []byte, lines int) {
	if l.chain == nil {
		return
	}
	l.chain.seq, l.chain.prev = l.before.seq, l.before.prev
	if lines == 0 {
		return
	}
	done = done[:bytes.LastIndexByte(done, '\n')]
	last, _ := parseLink(done[bytes.LastIndexByte(done, '\n')+1:])
	l.chain.seq = last.seq
	copy(l.chain.prev[:], last.mac)
}

// Lost returns how many records could not be written since Open.
func (l *Log) Lost() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// errClosed is what Write meets after Close.
var errClosed = errors.New("the audit log is closed")

// Close writes what was counted and the end of the chain, and closes the file.
// Records that are written afterwards are lost.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.out == nil {
		return nil
	}
	l.sum()
	l.closed = true
	if l.file == nil {
		return nil
	}
	if l.chain != nil {
		l.end()
	}
	if err := l.file.close(); err != nil {
		return fmt.Errorf("closing the audit log: %w", err)
	}
	return nil
}
