package pluginstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// copier copies regular files and takes their checksums.
type copier struct {
	ctx      context.Context //nolint:containedctx // of one call
	to       *os.Root
	sums     map[string]string   // by name with slashes
	programs map[string]struct{} // those that were executable
	total    int64
}

// dir copies a directory and what is in it.
func (c *copier) dir(from *os.Root, name string) error {
	if strings.Count(name, "/") >= maxDepth {
		return &FileError{Path: name, Reason: "lies too deep"}
	}
	f, err := from.Open(filepath.FromSlash(name))
	if err != nil {
		return fmt.Errorf("open a directory to install: %w", err)
	}
	entries, err := f.ReadDir(-1)
	_ = f.Close() // it was only read
	if err != nil {
		return fmt.Errorf("read a directory to install: %w", err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		full := path.Join(name, e.Name())
		if !e.IsDir() {
			if err := c.file(from, full); err != nil {
				return err
			}
			continue
		}
		if !validFile(full) {
			return &FileError{Path: full, Reason: "has a name that cannot be installed on every system"}
		}
		if err := c.to.Mkdir(filepath.FromSlash(full), 0o700); err != nil {
			return fmt.Errorf("make a directory: %w", err)
		}
		if err := c.dir(from, full); err != nil {
			return err
		}
	}
	return nil
}

// file copies one file, which must be a regular one that has no other name.
func (c *copier) file(from *os.Root, name string) error {
	if err := c.ctx.Err(); err != nil {
		return err //nolint:wrapcheck // it is the caller's own
	}
	if !validFile(name) {
		return &FileError{Path: name, Reason: "has a name that cannot be installed on every system"}
	}
	local := filepath.FromSlash(name)
	named, err := from.Lstat(local)
	if err != nil {
		return fmt.Errorf("look at a file to install: %w", err)
	}
	if reason := unfit(named); reason != "" {
		return &FileError{Path: name, Reason: reason}
	}
	in, err := from.OpenFile(local, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return fmt.Errorf("open a file to install: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	info, err := in.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("look at a file to install: %w", err)
	case !os.SameFile(info, named) || unfit(info) != "":
		return &FileError{Path: name, Reason: "was replaced while it was opened"}
	case len(c.sums) >= maxFiles:
		return &FileError{Path: name, Reason: "is one file too many: 20 000 can be installed together"}
	}
	digest, err := c.copy(in, local)
	if err != nil {
		return err
	}
	c.sums[name] = digest
	if info.Mode().Perm()&0o111 != 0 || runtime.GOOS == "windows" && strings.HasSuffix(name, ".exe") {
		if c.programs == nil {
			c.programs = map[string]struct{}{}
		}
		c.programs[name] = struct{}{}
	}
	return nil
}

// unfit says why a file cannot be installed.
func unfit(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link: install what it leads to"
	case !mode.IsRegular():
		return "is not a regular file"
	case mode&(fs.ModeSetuid|fs.ModeSetgid) != 0:
		return "has a setuid or setgid bit: a scanner needs none"
	case links(info) > 1:
		return "has another name too (a hard link): install a copy of it"
	case info.Size() > maxFileSize:
		return "is larger than 512 MiB"
	}
	return ""
}

// copy copies what is open to a new file and returns its checksum.
func (c *copier) copy(in io.Reader, name string) (string, error) {
	out, err := c.to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("make a file: %w", err)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), io.LimitReader(in, maxFileSize+1))
	if c.total += n; err == nil && (n > maxFileSize || c.total > maxTotal) {
		err = &FileError{Path: name, Reason: "makes it more than 1 GiB, which is the most that can be installed"}
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return "", fmt.Errorf("copy a file: %w", err)
	}
	if err := c.to.Chmod(name, 0o400); err != nil {
		return "", fmt.Errorf("set the mode of a file: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// entry returns the program of a directory.
func (c *copier) entry(given string) (string, error) {
	if given != "" {
		name := path.Clean(filepath.ToSlash(given))
		if _, ok := c.sums[name]; !ok {
			return "", &FileError{Path: name, Reason: "is not in the directory: give --entry a path relative to it"}
		}
		return name, nil
	}
	var top []string
	for name := range c.programs {
		if !strings.Contains(name, "/") {
			top = append(top, name)
		}
	}
	switch len(top) {
	case 1:
		return top[0], nil
	case 0:
		return "", errors.New("the directory has no executable file at its top: name the program with --entry")
	default:
		return "", errors.New("the directory has several executable files: name the program with --entry")
	}
}
