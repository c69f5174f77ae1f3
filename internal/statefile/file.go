package statefile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrForeign says that what is in the place of a file is none that the relay
// wrote: not a regular file, or too long.
var ErrForeign = errors.New("it is not a file of the relay: remove it")

// Stat returns what the system knows of a file; symbolic links are not followed.
// The error wraps fs.ErrNotExist when there is none.
func (d *Dir) Stat(name string) (fs.FileInfo, error) {
	return d.root.Lstat(name) //nolint:wrapcheck // it names the file and what was attempted
}

// Read reads a file of at most limit bytes, which must be the user's alone. The
// error wraps fs.ErrNotExist when there is none, or ErrForeign.
func (d *Dir) Read(name string, limit int64) ([]byte, fs.FileInfo, error) {
	data, info, err := d.read(name, limit)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("the file %s: %w", filepath.Join(d.root.Name(), name), err)
	}
	return data, info, err
}

func (d *Dir) read(name string, limit int64) ([]byte, fs.FileInfo, error) {
	named, err := d.Stat(name)
	switch {
	case err != nil:
		return nil, nil, err
	case !named.Mode().IsRegular():
		return nil, nil, ErrForeign
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // as above
	}
	defer func() { _ = f.Close() }() // it was only read
	// What is checked is the open file, so that it is what is read.
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, err //nolint:wrapcheck // as above
	case !os.SameFile(info, named):
		return nil, nil, ErrForeign
	}
	if err := checkAccess(info, othersDoAny, "run chmod 600 on it"); err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // as above
	}
	if int64(len(data)) > limit {
		return nil, nil, ErrForeign
	}
	return data, info, nil
}

// Write puts a file of the user's alone in the place of another, in one step.
func (d *Dir) Write(name string, data []byte) error {
	scratch := name + "." + rand.Text()
	err := d.fill(scratch, data)
	if err == nil {
		err = d.root.Rename(scratch, name)
	}
	if err != nil {
		_ = d.root.Remove(scratch) // it may not be there
		return fmt.Errorf("writing a file of the relay: %w", err)
	}
	return nil
}

// fill writes a file that was not there before.
func (d *Dir) fill(name string, data []byte) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // Write says what was attempted
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Remove removes a file. None is no error.
func (d *Dir) Remove(name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing a file of the relay: %w", err)
	}
	return nil
}

// Names returns the names of what is in the directory, in no order; what another
// process is just writing is among them.
func (d *Dir) Names() ([]string, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("listing a directory of the relay: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing a directory of the relay: %w", err)
	}
	return names, nil
}
