package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxRules bounds how many files beside hidden ones are allowed one by one.
const maxRules = 20_000

// Prepare turns the profile into rules about what is there now. The error is
// ErrUnavailable where the kernel knows no Landlock that lets programs move
// files between directories (Linux 5.19).
func (p Open) Prepare() (*Confinement, error) {
	version := landlockVersion()
	if version < referSince {
		return nil, ErrUnavailable
	}
	hidden, err := hiddenPaths(p.Hidden)
	if err != nil {
		return nil, err
	}
	c := &Confinement{ruleset: -1}
	c.noteScopes(version, GapSignals)
	if version < truncateSince {
		c.gaps = append(c.gaps, GapTruncated)
	}
	access := openAccess(version)
	rules, err := newRuleset(access, 0, scopes(version, unix.LANDLOCK_SCOPE_SIGNAL))
	if err != nil {
		return nil, err
	}
	c.ruleset = rules.fd
	count := 0
	if err := rules.allowBeside("/", hidden, access, &count); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// openAccess leaves names of files, and executing them, to everybody.
func openAccess(version int) uint64 {
	return unix.LANDLOCK_ACCESS_FS_READ_FILE | change | moving(version)
}

// hiddenPaths returns the paths as they were given and as they are without
// symbolic links: neither a file nor the link that leads to it may be replaced.
func hiddenPaths(given []string) ([]string, error) {
	var all []string
	for _, path := range given {
		if !filepath.IsAbs(path) {
			return nil, fmt.Errorf("%w: %q", errPath, path)
		}
		path = filepath.Clean(path)
		all = append(all, path)
		if resolved := resolve(path); resolved != path {
			all = append(all, resolved)
		}
	}
	return all, nil
}

// resolve follows the symbolic links in the part of a path that exists.
func resolve(path string) string {
	for rest := ""; ; {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			return filepath.Join(resolved, rest)
		}
		if path == filepath.Dir(path) {
			return filepath.Join(path, rest)
		}
		path, rest = filepath.Dir(path), filepath.Join(filepath.Base(path), rest)
	}
}

// allowBeside allows dir when nothing in it is hidden, else what lies beside the
// hidden, one by one.
func (r *ruleset) allowBeside(dir string, hidden []string, access uint64, count *int) error {
	if *count++; *count > maxRules {
		return errors.New("too many files lie beside those to hide from a program: move the configuration into a directory of its own")
	}
	inside := false
	for _, path := range hidden {
		if path == dir {
			return nil
		}
		inside = inside || isBelow(path, dir)
	}
	if !inside {
		return r.allow(dir, access, unix.O_NOFOLLOW)
	}
	entries, err := os.ReadDir(dir)
	if err != nil { // what we cannot list, or is no directory, is not allowed
		return nil //nolint:nilerr // the program cannot list it either
	}
	for _, entry := range entries {
		if entry.Type()&os.ModeSymlink != 0 {
			continue // it is no more than a name for something that has a rule
		}
		if err := r.allowBeside(filepath.Join(dir, entry.Name()), hidden, access, count); err != nil {
			return err
		}
	}
	return nil
}

// isBelow reports whether path lies in dir, however deep.
func isBelow(path, dir string) bool {
	return dir == "/" || strings.HasPrefix(path, dir+"/")
}
