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
	// lock keeps other processes from rotating at the same time, so that the
	// names of backups are in the order of what they hold. May be nil.
	lock func() (unlock func(), err error)

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

// turn makes sure that what is written next, about n bytes, goes to the file that
// the path names, and rotates it before if need be. It tells what happened. A
// rotation that fails is not an error as long as something can be written.
func (w *file) turn(n int64) (turned, error) {
	if w.closed {
		return turned{}, errClosed
	}
	now := time.Now()
	if w.f != nil && now.Sub(w.looked) < look && (w.size+n <= w.maxSize || !w.rotatable()) {
		return turned{}, nil
	}
	w.looked = now
	return w.follow(n)
}

// turned says how a file came to be another.
type turned struct {
	moved  bool
	backup string   // the name that this process gave to the one before
	pruned []string // names of what it removed
}

// Write appends p, which holds whole lines. turn comes before.
func (w *file) Write(p []byte) (int, error) {
	if w.f == nil {
		return 0, errClosed
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
func (w *file) follow(n int64) (turned, error) {
	if w.f == nil {
		return turned{moved: true}, w.open()
	}
	current, err := os.Stat(w.path)
	if err != nil || !os.SameFile(current, w.opened) {
		return turned{moved: true}, w.open()
	}
	w.size = current.Size()
	if !w.rotatable() || w.size == 0 || w.size+n <= w.maxSize {
		return turned{}, nil
	}
	if w.lock == nil {
		return w.rotate()
	}
	unlock, err := w.lock()
	if err != nil {
		return turned{}, nil // go on with the large file and try again at the next look
	}
	defer unlock()
	if current, err = os.Stat(w.path); err != nil || !os.SameFile(current, w.opened) {
		return turned{moved: true}, w.open() // somebody was faster
	}
	return w.rotate()
}

// rotate renames the file and opens a new one. The name of a backup holds the
// time and the process, so that two processes never write over each other's.
func (w *file) rotate() (turned, error) {
	// Windows does not rename a file that is open.
	_ = w.f.Close()
	w.f = nil
	stem, ext := w.stem()
	backup := fmt.Sprintf("%s-%s-%d%s", stem, time.Now().UTC().Format(backupTime), os.Getpid(), ext)
	renamed := os.Rename(w.path, backup) == nil
	if err := w.open(); err != nil {
		return turned{moved: renamed}, err
	}
	if !renamed {
		// Another process has it open, on Windows: go on with the large file and
		// try again at the next look.
		w.size = 0
		return turned{}, nil
	}
	return turned{moved: true, backup: filepath.Base(backup), pruned: w.prune()}, nil
}

// backupTime is the time in the name of a backup.
const backupTime = "20060102T150405.000000000"

// prune removes the oldest backups and returns their names. One that cannot be
// removed is tried again at the next rotation.
func (w *file) prune() (removed []string) {
	if w.maxBackups < 0 {
		return nil
	}
	all := Backups(w.path)
	for _, name := range all[:max(len(all)-w.maxBackups, 0)] {
		if os.Remove(name) == nil {
			removed = append(removed, filepath.Base(name))
		}
	}
	return removed
}

// Backups returns the paths of the files that the record at path was rotated
// to, oldest first.
func Backups(path string) []string {
	stem, ext := stemOf(path)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var backups []string // in the order of their times, as ReadDir sorts names
	for _, e := range entries {
		if _, ok := rotatedAt(filepath.Base(stem), ext, e.Name()); ok && e.Type().IsRegular() {
			backups = append(backups, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	slices.Sort(backups)
	return backups
}

// rotatedAt returns the time in the name of a backup.
func rotatedAt(stem, ext, name string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(name, stem+"-")
	if !ok {
		return time.Time{}, false
	}
	if rest, ok = strings.CutSuffix(rest, ext); !ok || len(rest) < len(backupTime) {
		return time.Time{}, false
	}
	t, err := time.Parse(backupTime, rest[:len(backupTime)])
	return t, err == nil
}

func (w *file) stem() (stem, ext string) { return stemOf(w.path) }

func stemOf(path string) (stem, ext string) {
	ext = filepath.Ext(path)
	return strings.TrimSuffix(path, ext), ext
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
