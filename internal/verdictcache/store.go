package verdictcache

import (
	"log/slog"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Options bound what is kept.
type Options struct {
	Memory int           // bytes
	TTL    time.Duration // at most a week
	// Dir is the directory of the files with verdicts on definitions; it is made
	// when there is one to write. Empty: none are kept.
	Dir string
	// Keychain says that the system's keychain may be asked for the key of the
	// files; else it is a file.
	Keychain bool
	Logger   *slog.Logger
}

// Store keeps the verdicts of any number of scanners. It is safe for concurrent
// use. Close it when done.
type Store struct {
	memory *memory
	disk   *disk // nil: none
}

// maxTTL is how old a verdict may be, whatever the configuration says.
const maxTTL = 7 * 24 * time.Hour

// Open returns an empty store; what is in files is read when it is asked for.
func Open(o Options) *Store {
	o.TTL = min(o.TTL, maxTTL)
	s := &Store{memory: newMemory(o.Memory, o.TTL)}
	if o.Dir != "" {
		s.disk = openDisk(o)
	}
	return s
}

// Close waits for what is still being written to files.
func (s *Store) Close() {
	if s.disk != nil {
		s.disk.close()
	}
}

func (s *Store) get(key Sum, c *verdict.Content) (verdict.Verdict, bool) {
	if v, ok := s.memory.get(key); ok {
		return v, true
	}
	if s.disk == nil || c.Phase != verdict.Definition {
		return verdict.Verdict{}, false
	}
	v, expires, ok := s.disk.get(key, c)
	if ok {
		s.memory.put(key, c.Origin.Server, v, expires)
	}
	return v, ok
}

func (s *Store) put(key Sum, c *verdict.Content, v verdict.Verdict) {
	now := time.Now()
	v = owned(v)
	v.ScannerTime = 0
	s.memory.put(key, c.Origin.Server, v, now.Add(s.memory.ttl))
	if s.disk != nil && c.Phase == verdict.Definition {
		s.disk.put(key, v, now)
	}
}
