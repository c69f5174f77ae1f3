package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// look is how often a file looks whether another process, or a person, moved
// it away or filled it.
const look = time.Second

// file is an append-only file that is rotated by size. Several processes may
// write to it: each write is one append of whole lines, and whoever finds the
// file too large renames it, which the others notice within a second and follow.
// It is not safe for concurrent use.
type file struct {
	path       string
	maxSize    int64
	maxBackups int

	f      *os.File // nil after close or a failed reopening
	opened os.FileInfo
	size   int64 // as of the last look, plus what was written since
	looked time.Time
	closed bool
}

func openFile(path string, maxSize int64, maxBackups int) (*file, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err //nolint:wrapcheck // Open says what was attempted; the error names the path
	}
	w := &file{path: path, maxSize: maxSize, maxBackups: maxBackups}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w, nil
}

// Write appends p, which holds whole lines, and rotates before it if need be.
// A rotation that fails is not an error as long as p can be written.
func (w *file) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errClosed
	}
	if now := time.Now(); w.f == nil || now.Sub(w.looked) >= look || w.size+int64(len(p)) > w.maxSize && w.rotatable() {
		w.looked = now
		if err := w.follow(int64(len(p))); err != nil {
			return 0, err
		}
	}
	n, err := w.f.Write(p)
	w.size += int64(n)
	if err != nil {
		return n, err //nolint:wrapcheck // Log.Write says what was attempted; the error names the path
	}
	return n, nil
}

// rotatable is false for devices such as /dev/null.
func (w *file) rotatable() bool { return w.opened.Mode().IsRegular() }

// follow makes sure that w.f is what the path names and has room for n bytes.
func (w *file) follow(n int64) error {
	if w.f == nil {
		return w.open()
	}
	current, err := os.Stat(w.path)
	if err != nil || !os.SameFile(current, w.opened) {
		return w.open()
	}
	w.size = current.Size()
	if !w.rotatable() || w.size == 0 || w.size+n <= w.maxSize {
		return nil
	}
	return w.rotate()
}

// rotate renames the file and opens a new one. The name of a backup holds the
// time and the process, so that two processes never write over each other's.
func (w *file) rotate() error {
	// Windows does not rename a file that is open.
	_ = w.f.Close()
	w.f = nil
	stem, ext := w.stem()
	backup := fmt.Sprintf("%s-%s-%d%s", stem, time.Now().UTC().Format("20060102T150405.000000000"), os.Getpid(), ext)
	renamed := os.Rename(w.path, backup) == nil
	if err := w.open(); err != nil {
		return err
	}
	if renamed {
		w.prune()
	} else {
		// Another process has it open, on Windows: go on with the large file and
		// try again at the next look.
		w.size = 0
	}
	return nil
}

// prune removes the oldest backups. One that cannot be removed is tried again
// at the next rotation.
func (w *file) prune() {
	stem, ext := w.stem()
	entries, err := os.ReadDir(filepath.Dir(w.path))
	if err != nil {
		return
	}
	if w.maxBackups < 0 {
		return
	}
	var backups []string // in the order of their times, as ReadDir sorts names
	prefix := filepath.Base(stem) + "-2"
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), ext) && e.Type().IsRegular() {
			backups = append(backups, filepath.Join(filepath.Dir(w.path), e.Name()))
		}
	}
	slices.Sort(backups)
	for _, name := range backups[:max(len(backups)-w.maxBackups, 0)] {
		_ = os.Remove(name)
	}
}

func (w *file) stem() (stem, ext string) {
	ext = filepath.Ext(w.path)
	return strings.TrimSuffix(w.path, ext), ext
}

var errNotAFile = errors.New("the audit log must be a regular file")

func (w *file) open() error {
	// Opening a named pipe would wait for its reader.
	if info, err := os.Stat(w.path); err == nil && (info.IsDir() || info.Mode()&fs.ModeNamedPipe != 0) {
		return fmt.Errorf("%s: %w", w.path, errNotAFile)
	}
	f, err := os.OpenFile(w.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // the callers say what was attempted; the error names the path
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return err //nolint:wrapcheck // as above
	}
	if w.f != nil {
		_ = w.f.Close()
	}
	w.f, w.opened, w.size, w.looked = f, info, info.Size(), time.Now()
	return nil
}

func (w *file) close() error {
	w.closed = true
	if w.f == nil {
		return nil
	}
	err := w.f.Close()
	w.f = nil
	return err //nolint:wrapcheck // Log.Close says what was attempted
}
