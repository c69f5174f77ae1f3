package pluginstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds of what can be installed.
const (
	maxFileSize = 512 << 20 // bytes
	maxTotal    = 1 << 30   // bytes
	maxFiles    = 20_000
	maxDepth    = 32
)

// Staged is a copy of a scanner that is not installed yet. Commit or Discard it.
type Staged struct {
	Plugin // without name and version

	store   *Store
	staging string // relative to the store
}

// FileError says why a file cannot be installed.
type FileError struct{ Path, Reason string }

// Error says what to do.
func (e *FileError) Error() string { return e.Path + " " + e.Reason }

// Stage copies a program, or a directory with one, next to where it will be, and
// takes the checksums of the copies. Entry names the program in a directory; it
// may be empty when there is only one executable file at its top. Nothing is run.
func (s *Store) Stage(ctx context.Context, source, entry string) (*Staged, error) {
	_, root, unlock, err := s.change(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := root.MkdirAll(directory, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of installed scanners: %w", err)
	}
	sweep(root)
	st := &Staged{store: s, staging: path.Join(directory, stagingName+strings.ToLower(rand.Text()))}
	st.Source, st.Path = source, st.staging
	if err := root.Mkdir(st.staging, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory for the installation: %w", err)
	}
	if err := st.fill(ctx, root, source, entry); err != nil {
		_ = root.RemoveAll(st.staging) // swept otherwise
		return nil, err
	}
	return st, nil
}

// staleAfter is how old a staged copy is that nobody will commit any more.
const staleAfter = 24 * time.Hour

// sweep removes what installations left that did not end.
func sweep(root *os.Root) {
	f, err := root.Open(directory)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	entries, _ := f.ReadDir(-1) // what could be read
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), stagingName) && time.Since(info.ModTime()) > staleAfter {
			_ = root.RemoveAll(path.Join(directory, e.Name())) // tried again next time
		}
	}
}

func (st *Staged) fill(ctx context.Context, root *os.Root, source, entry string) error {
	info, err := os.Lstat(source)
	if err != nil {
		return fmt.Errorf("look at what is to be installed: %w", err)
	}
	to, err := root.OpenRoot(st.staging)
	if err != nil {
		return fmt.Errorf("open the directory for the installation: %w", err)
	}
	defer func() { _ = to.Close() }() // only names
	c := &copier{ctx: ctx, to: to, sums: map[string]string{}}
	if !info.IsDir() {
		from, err := os.OpenRoot(filepath.Dir(source))
		if err != nil {
			return fmt.Errorf("open what is to be installed: %w", err)
		}
		defer func() { _ = from.Close() }()
		if entry != "" {
			return errors.New("--entry is for directories")
		}
		st.Entry = filepath.Base(source)
		if err := c.file(from, st.Entry); err != nil {
			return err
		}
		return st.finish(c)
	}
	from, err := os.OpenRoot(source)
	if err != nil {
		return fmt.Errorf("open what is to be installed: %w", err)
	}
	defer func() { _ = from.Close() }()
	if err := c.dir(from, "."); err != nil {
		return err
	}
	if st.Entry, err = c.entry(entry); err != nil {
		return err
	}
	return st.finish(c)
}

// finish sorts out what was copied and makes the program executable.
func (st *Staged) finish(c *copier) error {
	st.SHA256, st.Files = c.sums[st.Entry], c.sums
	delete(st.Files, st.Entry)
	for name := range c.programs {
		if name == st.Entry {
			continue
		}
		if err := c.to.Chmod(filepath.FromSlash(name), 0o500); err != nil {
			return fmt.Errorf("set the mode of a file: %w", err)
		}
	}
	name := filepath.FromSlash(st.Entry)
	f, err := c.to.Open(name)
	if err != nil {
		return fmt.Errorf("open the installed program: %w", err)
	}
	var magic [2]byte
	_, err = io.ReadFull(f, magic[:])
	_ = f.Close() // it was only read
	if err != nil {
		return &FileError{Path: st.Entry, Reason: "is empty"}
	}
	st.Script = string(magic[:]) == "#!"
	if err := c.to.Chmod(name, 0o500); err != nil {
		return fmt.Errorf("make the program executable: %w", err)
	}
	return nil
}

// Checksum is what a person compares: of the program, or, when there are more
// files, of the list of all of them as sha256sum prints it:
//
//	find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum
func (p *Plugin) Checksum() string {
	if len(p.Files) == 0 {
		return p.SHA256
	}
	all := maps.Clone(p.Files)
	all[p.Entry] = p.SHA256
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(h, "%s  ./%s\n", all[name], name)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Program returns the absolute path of the staged program.
func (st *Staged) Program() string { return st.store.Program(&st.Plugin) }

// Tree returns the absolute path of the staged files.
func (st *Staged) Tree() string { return st.store.Tree(&st.Plugin) }

// Discard removes the copy. After Commit it does nothing.
func (st *Staged) Discard() {
	if root, err := os.OpenRoot(st.store.Dir); err == nil {
		_ = root.RemoveAll(st.staging) // swept otherwise
		_ = root.Close()
	}
}

// Commit installs the copy under the name and version in Plugin. The same files
// may be there already; others only with force, which replaces them.
func (st *Staged) Commit(ctx context.Context, force bool) (Plugin, error) {
	s, p := st.store, st.Plugin
	if err := s.CheckName(p.Name, p.Version); err != nil {
		return Plugin{}, err
	}
	p.Path = place(p.Name, p.Version)
	dir, root, unlock, err := s.change(ctx)
	if err != nil {
		return Plugin{}, err
	}
	defer unlock()
	all, err := s.read(dir)
	if err != nil {
		return Plugin{}, err
	}
	at := slices.IndexFunc(all, func(o Plugin) bool { return o.ID() == p.ID() })
	if at >= 0 {
		same := all[at].Checksum() == p.Checksum() && all[at].Entry == p.Entry
		if !same && !force {
			return Plugin{}, ErrExists
		}
		all = slices.Delete(all, at, at+1)
		if err := write(dir, all); err != nil { // what is half replaced is never started
			return Plugin{}, err
		}
	}
	if err := st.move(root, p.Path); err != nil {
		return Plugin{}, err
	}
	p.Installed = time.Now().UTC().Truncate(time.Second)
	return p, write(dir, append(all, p))
}

// move puts the copy into its place. What lies there is not in the lock file.
func (st *Staged) move(root *os.Root, to string) error {
	if err := root.MkdirAll(path.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make the plugin's directory: %w", err)
	}
	old := st.staging + "-old"
	if err := root.Rename(to, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("move the old files away: %w", err)
	}
	if err := root.Rename(st.staging, to); err != nil {
		return fmt.Errorf("put the files into their place: %w", err)
	}
	_ = root.RemoveAll(old) // swept otherwise
	return nil
}
