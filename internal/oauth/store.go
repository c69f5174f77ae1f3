package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mcp-relay/relay/internal/statefile"
)

// store keeps the record of one server in a directory. Files are replaced in
// one step, and whoever changes one holds the server's lock: several relays may
// run at once.
type store struct {
	dir     string
	name    string // of the files, without extension; made of the server's name and address
	server  string
	url     string
	storage Storage
	keys    keychain
}

func newStore(dir, server, url string, storage Storage) *store {
	sum := sha256.Sum256([]byte(server + "\x00" + url))
	return &store{dir: dir, name: hex.EncodeToString(sum[:16]), server: server, url: url, storage: storage, keys: system{}}
}

var errDir = errors.New("there is no absolute directory to keep logins in")

const maxFile = 1 << 20

// open opens the directory; with create, it makes it.
func (s *store) open(create bool) (*statefile.Dir, error) {
	if !filepath.IsAbs(s.dir) {
		return nil, errDir
	}
	if create {
		return statefile.Create(s.dir)
	}
	return statefile.Open(s.dir)
}

// lock waits until nobody else changes this server's files.
func (s *store) lock(ctx context.Context) (unlock func(), err error) {
	dir, err := s.open(true)
	if err == nil {
		defer dir.Close()
		unlock, err = dir.Lock(ctx, s.name+".lock")
	}
	if err != nil {
		return nil, fmt.Errorf("locking the login: %w", err)
	}
	return unlock, nil
}

// stamp tells one version of a file from another.
type stamp struct {
	size int64
	when time.Time
}

// look returns the stamp of the token file; the zero stamp when there is none.
func (s *store) look() stamp {
	info, err := os.Lstat(filepath.Join(s.dir, s.name+".json"))
	if err != nil {
		return stamp{}
	}
	return stamp{info.Size(), info.ModTime()}
}

// load returns the record, or nil when there is none.
func (s *store) load(ctx context.Context) (*record, error) {
	var on stored
	switch found, err := s.read(s.name+".json", &on); {
	case err != nil:
		return nil, err
	case !found:
		return nil, nil //nolint:nilnil // no login is not an error
	}
	r := on.Record
	if on.Sealed != nil {
		if s.storage == File {
			return nil, errUnreadable
		}
		key, err := sealingKey(ctx, s.keys, false)
		if err != nil {
			return nil, err
		}
		if r, err = unseal(key, s.name, on.Sealed); err != nil {
			return nil, err
		}
	}
	if on.Version != storedVersion || r == nil || r.Server != s.server || r.URL != s.url {
		return nil, errUnreadable
	}
	if on.Sealed == nil && s.storage == Keychain {
		return nil, errUnreadable // the user asked for better
	}
	return r, nil
}

// save replaces the record and says where the token is protected. The caller
// holds the lock.
func (s *store) save(ctx context.Context, r *record) (Storage, error) {
	on, kind := stored{Version: storedVersion}, File
	if s.storage != File {
		key, err := sealingKey(ctx, s.keys, true)
		switch {
		case err == nil:
			kind = Keychain
			if on.Sealed, err = seal(key, s.name, r); err != nil {
				return "", err
			}
		case s.storage == Keychain:
			return "", err
		}
	}
	if kind == File {
		on.Record = r
	}
	return kind, s.write(s.name+".json", on)
}

// remove deletes the record and the note. The caller holds the lock.
func (s *store) remove() error {
	err := s.drop(".json")
	if err == nil {
		err = s.drop(".note")
	}
	return err
}

// drop deletes the file with an extension, if there is one.
func (s *store) drop(extension string) error {
	dir, err := s.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer dir.Close()
		err = dir.Remove(s.name + extension)
	}
	if err != nil {
		return fmt.Errorf("removing the login: %w", err)
	}
	return nil
}

// read reads a file that the relay wrote.
func (s *store) read(name string, into any) (found bool, err error) {
	var content []byte
	dir, err := s.open(false)
	if err == nil {
		defer dir.Close()
		content, _, err = dir.Read(name, maxFile)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, statefile.ErrForeign):
		return false, errUnreadable
	case err != nil:
		return false, fmt.Errorf("reading the login: %w", err)
	case json.Unmarshal(content, into) != nil:
		return false, errUnreadable
	}
	return true, nil
}

// write replaces a file in one step.
func (s *store) write(name string, content any) error {
	b, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("writing the login: %w", err)
	}
	dir, err := s.open(true)
	if err == nil {
		defer dir.Close()
		err = dir.Write(name, b)
	}
	if err != nil {
		return fmt.Errorf("writing the login: %w", err)
	}
	return nil
}
