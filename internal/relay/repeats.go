package relay

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// repeatWindow is how long a line of the log stands for others like it.
	repeatWindow = time.Minute
	// maxRepeats bounds the kinds of lines that are told apart in a window.
	maxRepeats = 1024
)

// repeats writes lines of the log that servers cause as often as they like: one
// a minute for each message, server and reason. The next one says how many were
// left out; the audit record does its own counting. Its methods may be called by
// several goroutines at once.
type repeats struct {
	log *slog.Logger

	mu     sync.Mutex
	kinds  map[repeat]*repeated
	closed bool
}

// repeat is what lines have in common of which one is written.
type repeat struct {
	level                   slog.Level
	message, server, reason string
}

type repeated struct {
	skipped int
	timer   *time.Timer // rings when the window ends
}

func newRepeats(log *slog.Logger) *repeats {
	return &repeats{log: log, kinds: map[repeat]*repeated{}}
}

// write writes a line about a server, unless one like it was in the last minute.
// What attrs say is of this one occurrence: of those left out nobody learns it.
func (r *repeats) write(level slog.Level, message, server, reason string, attrs ...slog.Attr) {
	ctx := context.Background()
	if !r.log.Enabled(ctx, level) {
		return
	}
	kind := repeat{level: level, message: message, server: server, reason: reason}
	if !r.first(kind) {
		return
	}
	attrs = append([]slog.Attr{slog.String("server", server), slog.String("reason", reason)}, attrs...)
	r.log.LogAttrs(ctx, level, message, attrs...) //nolint:sloglint // the callers give constants
}

// first reports whether a line is to be written, or else counts it.
func (r *repeats) first(kind repeat) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return true
	}
	k := r.kinds[kind]
	if k == nil && len(r.kinds) >= maxRepeats {
		// Somebody has ever new reasons: those are counted as one.
		kind.reason = "more"
		k = r.kinds[kind]
	}
	if k != nil {
		k.skipped++
		return false
	}
	r.kinds[kind] = &repeated{timer: time.AfterFunc(repeatWindow, func() { r.end(kind) })}
	return true
}

// end ends a window. A line about what was left out in it begins the next.
func (r *repeats) end(kind repeat) {
	r.mu.Lock()
	k := r.kinds[kind]
	if r.closed || k == nil {
		r.mu.Unlock()
		return
	}
	skipped := k.skipped
	if k.skipped = 0; skipped == 0 {
		delete(r.kinds, kind)
	} else {
		k.timer.Reset(repeatWindow)
	}
	r.mu.Unlock()
	r.summarize(kind, skipped)
}

func (r *repeats) summarize(kind repeat, skipped int) {
	if skipped > 0 {
		message := kind.message + ", again"
		r.log.LogAttrs(context.Background(), kind.level, message, //nolint:sloglint // the callers give constants
			slog.String("server", kind.server), slog.String("reason", kind.reason), slog.Int("skipped", skipped))
	}
}

// close says what was left out so far. Later lines are all written.
func (r *repeats) close() {
	r.mu.Lock()
	kinds := r.kinds
	r.kinds, r.closed = nil, true
	r.mu.Unlock()
	for kind, k := range kinds {
		k.timer.Stop()
		r.summarize(kind, k.skipped)
	}
}
