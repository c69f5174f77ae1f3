package principal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

// look is how often a store looks whether its file was changed.
const look = time.Second

// Options are where tokens come from.
type Options struct {
	Dir   string            // the state directory, absolute; made when a token is; empty: given tokens only
	Given map[string]string // tokens by name, as the configuration gives them
	Log   *slog.Logger      // nil: silent
}

// Store knows the tokens. It is safe for concurrent use.
type Store struct {
	dir   string
	given []entry
	log   *slog.Logger

	start  time.Time
	looked atomic.Int64            // when the file was looked at, since start
	known  atomic.Pointer[[]entry] // given and stored

	mu     sync.Mutex  // of what follows: reading the file
	read   fs.FileInfo // of the file that known was read from; nil: there was none
	broken bool        // the file could not be read
}

// Open reads the tokens. A file that others could have read or changed, or
// that is not understood, is an error; none at all is not.
func Open(o Options) (*Store, error) {
	s := &Store{dir: o.Dir, log: o.Log, start: time.Now()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Given)) {
		if !ValidName(name) {
			return nil, ErrName
		}
		s.given = append(s.given, entry{name: name, hash: hashOf(o.Given[name]), given: true})
	}
	s.known.Store(&s.given)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.refresh(); err != nil {
		return nil, err
	}
	return s, nil
}

// Verify returns the name that a token belongs to. A token that was removed,
// by whatever process, is unknown after a second; while the file cannot be read
// or trusted, given tokens are the only ones.
func (s *Store) Verify(token string) (name string, ok bool) {
	return match(s.current(), token)
}

// Entry describes a token.
type Entry struct {
	Name    string
	Created time.Time // zero when Given
	Given   bool      // by the configuration
}

// List returns all tokens, those that the configuration gives first, by name.
func (s *Store) List() []Entry {
	entries := s.current()
	list := make([]Entry, 0, len(entries))
	for i := range entries {
		list = append(list, Entry{Name: entries[i].name, Created: entries[i].created, Given: entries[i].given})
	}
	return list
}

// Principals returns the names that have a token, each once.
func (s *Store) Principals() []string {
	entries := s.current()
	names := make([]string, 0, len(entries))
	for i := range entries {
		names = append(names, entries[i].name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// current returns the tokens, from the file at most a second ago. One caller
// looks; the others go on with what is known.
func (s *Store) current() []entry {
	last, now := s.looked.Load(), int64(time.Since(s.start))
	if now-last >= int64(look) && s.looked.CompareAndSwap(last, now) {
		s.mu.Lock()
		if err := s.refresh(); err != nil && !s.broken {
			s.broken = true
			s.log.Warn("the stored tokens cannot be used; none of them is accepted", slog.Any("error", err))
		}
		s.mu.Unlock()
	}
	return *s.known.Load()
}

// refresh reads the file when it is not the one that was read. The caller
// holds mu.
func (s *Store) refresh() error {
	dir, err := openDirectory(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		s.adopt(nil, nil)
		return nil
	}
	if err != nil {
		s.adopt(nil, nil)
		return err
	}
	defer dir.Close()
	info, err := dir.Stat(storeFile)
	if err == nil && s.read != nil && unchanged(info, s.read) {
		return nil
	}
	stored, info, err := readStore(dir)
	if err != nil {
		s.adopt(nil, nil)
		return err
	}
	s.adopt(stored, info)
	s.broken = false
	return nil
}

// unchanged reports whether two looks met the same content. Every change is a
// new file; the rest is for those who edit it by hand.
func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

func (s *Store) adopt(stored []entry, info fs.FileInfo) {
	all := slices.Concat(s.given, stored)
	s.known.Store(&all)
	s.read = info
}

// lockPatience is how long a change waits for another process to finish its own,
// which takes milliseconds.
const lockPatience = 5 * time.Second

var errLocked = errors.New("another relay is changing the tokens: try again")

// openDirectory opens the state directory; "" is one that is not there.
func openDirectory(path string) (*statefile.Dir, error) {
	if path == "" {
		return nil, fs.ErrNotExist
	}
	return statefile.Open(path) //nolint:wrapcheck // it names the directory
}

// errNoDirectory is met where there is no place for a file.
var errNoDirectory = errors.New("there is no state directory to keep tokens in: give tokens in relay.http.tokens")

// change runs f on the stored tokens, alone among all processes, and writes
// what it returns. f may write files of its own first.
func (s *Store) change(f func(dir *statefile.Dir, stored []entry) ([]entry, error)) error {
	if s.dir == "" {
		return errNoDirectory
	}
	dir, err := statefile.Create(s.dir)
	if err != nil {
		return fmt.Errorf("changing the tokens: %w", err)
	}
	defer dir.Close()
	ctx, cancel := context.WithTimeoutCause(context.Background(), lockPatience, errLocked)
	defer cancel()
	unlock, err := dir.Lock(ctx, lockFile)
	if err != nil {
		return fmt.Errorf("changing the tokens: %w", err)
	}
	defer unlock()
	stored, _, err := readStore(dir)
	if err != nil {
		return err
	}
	if stored, err = f(dir, stored); err != nil {
		return err
	}
	if err := writeStore(dir, stored); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refresh()
}
