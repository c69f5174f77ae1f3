package statefile

import (
	"fmt"
	"io/fs"
	"os"
)

// Dir is an open directory. Its methods take names of files in it, and are safe
// for concurrent use.
type Dir struct{ root *os.Root }

// Open opens a directory. It refuses one in which somebody else could replace
// the files. The error wraps fs.ErrNotExist when there is none.
func Open(path string) (*Dir, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening a directory of the relay: %w", err)
	}
	info, err := root.Stat(".")
	if err == nil {
		err = checkAccess(info, othersWrite, "run chmod 700 on it")
	}
	if err != nil {
		_ = root.Close() // nothing was done with it
		return nil, fmt.Errorf("the directory %s: %w", path, err)
	}
	return &Dir{root: root}, nil
}

// Create opens a directory, and makes it when there is none.
func Create(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("making a directory of the relay: %w", err)
	}
	return Open(path)
}

// Close closes the directory.
func (d *Dir) Close() { _ = d.root.Close() } // there is nothing to lose

// What others may not do with a directory and with a file.
const (
	othersWrite fs.FileMode = 0o022
	othersDoAny fs.FileMode = 0o077
)
