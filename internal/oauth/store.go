package oauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
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

var (
	errOpen = errors.New("others can read or write where logins are kept: make the directory 0700 and its files 0600, and yours")
	errDir  = errors.New("there is no absolute directory to keep logins in")
)

const (
	maxFile  = 1 << 20
	lockPoll = 20 * time.Millisecond
)

// inside opens the directory for do; with create, it makes it.
func (s *store) inside(create bool, do func(*os.Root) error) (err error) {
	if !filepath.IsAbs(s.dir) {
		return errDir
	}
	if create {
		if err := os.MkdirAll(s.dir, 0o700); err != nil {
			return fmt.Errorf("making a place for logins: %w", err)
		}
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return fmt.Errorf("opening the place of logins: %w", err)
	}
	defer func() {
		if closing := root.Close(); err == nil {
			err = closing
		}
	}()
	info, err := root.Stat(".")
	if err != nil {
		return fmt.Errorf("opening the place of logins: %w", err)
	}
	if err := checkMine(info); err != nil {
		return err
	}
	return do(root)
}

// lock waits until nobody else changes this server's files.
func (s *store) lock(ctx context.Context) (unlock func(), err error) {
	var f *os.File
	err = s.inside(true, func(root *os.Root) error {
		f, err = root.OpenFile(s.name+".lock", os.O_RDWR|os.O_CREATE, 0o600)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("locking the login: %w", err)
	}
	for {
		ok, err := tryLock(f)
		if ok {
			return func() { f.Close() }, nil
		}
		if err == nil {
			select {
			case <-time.After(lockPoll):
				continue
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		f.Close()
		return nil, fmt.Errorf("locking the login: %w", err)
	}
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
	err := s.inside(false, func(root *os.Root) error {
		for _, extension := range []string{".json", ".note"} {
			if err := root.Remove(s.name + extension); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("removing the login: %w", err)
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// read reads a file that the relay wrote.
func (s *store) read(name string, into any) (found bool, err error) {
	var content []byte
	err = s.inside(false, func(root *os.Root) error {
		content, err = readPlain(root, name)
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case json.Unmarshal(content, into) != nil:
		return false, errUnreadable
	}
	return true, nil
}

// readPlain reads a regular file that nobody else could have read or written.
func readPlain(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name) // a FIFO is not opened
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the login: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return nil, errUnreadable
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the login: %w", err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, fmt.Errorf("reading the login: %w", err)
	}
	if err := checkMine(info); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("reading the login: %w", err)
	}
	return content, nil
}

// write replaces a file in one step.
func (s *store) write(name string, content any) error {
	b, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("writing the login: %w", err)
	}
	return s.inside(true, func(root *os.Root) error {
		scratch := name + "." + rand.Text()
		err := writeNew(root, scratch, b)
		if err == nil {
			err = root.Rename(scratch, name)
		}
		if err != nil {
			_ = root.Remove(scratch)
			return fmt.Errorf("writing the login: %w", err)
		}
		return nil
	})
}

// writeNew writes a file of mode 0600 that was not there before.
func writeNew(root *os.Root, name string, content []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}
