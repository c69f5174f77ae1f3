package definitions

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/mcp-relay/relay/internal/registry"
)

// idle is how long a record is kept in memory after it was used.
const idle = 30 * time.Second

// change lets apply change the record and writes it when apply says so. Others
// who share the record wait. Where the store fails, the process goes on with
// what it has. s.mu is held.
func (m *Memory) change(ctx context.Context, s *server, apply func(*record) (dirty bool)) {
	if m.store == nil {
		if s.rec == nil {
			s.rec = distrusted(s)
		}
		apply(s.rec)
		return
	}
	unlock, err := m.store.lock(ctx)
	if err == nil {
		defer unlock()
	}
	reset := m.refresh(s)
	dirty := apply(s.rec) || reset
	switch {
	case err != nil:
		m.troubled(s, err)
	case dirty && !s.frozen:
		if s.file, err = m.store.save(s.rec); err != nil {
			m.troubled(s, err)
		}
	}
	s.approvals = s.rec.Approvals
	if s.rest == nil {
		s.rest = time.AfterFunc(idle, s.release)
	} else {
		s.rest.Reset(idle)
	}
}

// release gives back the memory that the record takes.
func (s *server) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil { // else there is nothing to read it from again
		s.rec = nil
	}
}

// refresh reads the record unless this process has it as it is stored. It
// reports whether what it has now is not what is stored.
func (m *Memory) refresh(s *server) (reset bool) {
	if s.rec != nil && (sameFile(s.file, m.store.stat(s.Name)) || s.frozen) {
		return false
	}
	clear(s.last) // others may have changed it
	rec, info, err := m.store.load(s.Name)
	defer func() { s.known = true }()
	switch {
	case err != nil:
		// It is no first sight: somebody wrote there.
		m.troubled(s, err)
		s.frozen = errors.Is(err, errNewer)
		if s.rec == nil {
			s.rec = distrusted(s)
		}
	case rec == nil && !s.known:
		s.rec = newRecord(s, time.Now().UTC())
	case rec == nil:
		m.troubled(s, errGone)
		if s.rec == nil {
			s.rec = distrusted(s)
		}
	case rec.Identity != s.Identity && s.known:
		// The configuration changed, and a relay that has read it uses the record.
		m.troubled(s, errTaken)
		s.frozen = true
		if s.rec == nil {
			s.rec = distrusted(s)
		}
	case rec.Identity != s.Identity:
		s.rec = newRecord(s, time.Now().UTC())
		m.report(s, []report{{classes: Replaced, outcome: outcomeFlagged}})
	default:
		s.rec, s.file = rec, info
		return false
	}
	s.file = nil
	return true
}

var (
	errGone  = errors.New("what was remembered of the server's definitions was removed while the relay ran")
	errTaken = errors.New("another server has been configured under this name since the relay started")
)

// distrusted returns a record of a server of which nothing is known though it
// may have been seen before: all that it offers is new.
func distrusted(s *server) *record {
	rec := newRecord(s, time.Now().UTC())
	for _, k := range registry.Kinds {
		rec.Listed = append(rec.Listed, kindOf(k))
	}
	rec.Listed = append(rec.Listed, Instructions)
	return rec
}

// troubled says once what is wrong with the store.
func (m *Memory) troubled(s *server, err error) {
	if text := err.Error(); text != s.trouble {
		s.trouble = text
		m.log.Error("what servers offered before cannot be remembered as it should; what is not known counts as new",
			slog.String("server", s.Name), slog.Any("error", err))
	}
}
