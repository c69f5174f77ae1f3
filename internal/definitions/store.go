package definitions

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

	"github.com/mcp-relay/relay/internal/statefile"
)

// directory is where records are kept, below the directory of the relay's state.
const directory = "definitions"

// suffix ends the names of the files of records.
const suffix = ".json"

// lockFile is the lock that whoever changes a record takes.
const lockFile = "lock"

// lockWait is how long a process waits for others that change records.
const lockWait = 5 * time.Second

// Store is where the records of one configuration are kept. It is safe for
// concurrent use, also by several processes.
type Store struct {
	dir    *statefile.Dir
	path   string
	config string
}

// OpenStore opens the records of a configuration, whose absolute path is config,
// below the relay's state directory home, which is made when there is none.
func OpenStore(home, config string) (*Store, error) {
	// The parent too must be a directory in which nobody else can replace this one.
	parent, err := statefile.Create(home)
	if err != nil {
		return nil, fmt.Errorf("opening what is remembered of definitions: %w", err)
	}
	parent.Close()
	path := filepath.Join(home, directory)
	dir, err := statefile.Create(path)
	if err != nil {
		return nil, fmt.Errorf("opening what is remembered of definitions: %w", err)
	}
	return &Store{dir: dir, path: path, config: config}, nil
}

// Close closes the store.
func (s *Store) Close() { s.dir.Close() }

// file returns the name of a server's record.
func (s *Store) file(server string) string {
	sum := sha256.Sum256([]byte(s.config + "\x00" + server))
	return hex.EncodeToString(sum[:16]) + suffix
}

// lock takes the lock of all records.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), lockWait,
		errors.New("another relay has been changing what is remembered for long"))
	defer cancel()
	return s.dir.Lock(ctx, lockFile) //nolint:wrapcheck // it says what was attempted
}

// load reads a server's record. The record and the file are nil when there is
// none.
func (s *Store) load(server string) (*record, fs.FileInfo, error) {
	data, info, err := s.dir.Read(s.file(server), maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // it names the file
	}
	r, err := decodeRecord(data)
	if err == nil && (r.Server != server || r.Config != s.config) {
		err = errRecord
	}
	if err != nil {
		return nil, info, fmt.Errorf("the file %s: %w", filepath.Join(s.path, s.file(server)), err)
	}
	return r, info, nil
}

// save writes a server's record. The lock must be held.
func (s *Store) save(r *record) (fs.FileInfo, error) {
	data, err := r.encode()
	if err != nil {
		return nil, err
	}
	if err := s.dir.Write(s.file(r.Server), data); err != nil {
		return nil, err //nolint:wrapcheck // it says what was attempted
	}
	return s.stat(r.Server), nil
}

// stat returns what the system knows of a record's file; nil: there is none.
func (s *Store) stat(server string) fs.FileInfo {
	info, err := s.dir.Stat(s.file(server))
	if err != nil {
		return nil
	}
	return info
}

// sameFile reports whether a file was not written since.
func sameFile(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
