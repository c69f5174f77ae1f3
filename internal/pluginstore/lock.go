package pluginstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/internal/statefile"
)

// format is the version of the lock file.
const format = 1

// maxLock bounds the lock file, in bytes.
const maxLock = 32 << 20

// LockError says what is wrong with the lock file. It quotes nothing of it.
type LockError struct{ Path, Reason string }

// Error says what to do.
func (e *LockError) Error() string {
	return fmt.Sprintf("%s: %s; relay plugin install writes it: put it back as it was, or remove it and install again", e.Path, e.Reason)
}

// lock is the content of the lock file.
type lock struct {
	Format  int      `json:"format"`
	Plugins []Plugin `json:"plugins"`
}

var sum = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })

// read reads and checks the lock file. None means that nothing is installed.
func (s *Store) read(dir *statefile.Dir) ([]Plugin, error) {
	data, _, err := dir.Read(lockFile, maxLock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the lock file: %w", err)
	}
	all, reason := parse(data)
	for i := range all {
		if reason == "" && s.CheckName(all[i].Name, all[i].Version) != nil {
			reason = "a name or version in it is not one that can be installed"
		}
	}
	if reason != "" {
		return nil, &LockError{Path: filepath.Join(s.Dir, lockFile), Reason: reason}
	}
	return all, nil
}

// parse reads a lock file, or says what is wrong with it.
func parse(data []byte) (plugins []Plugin, reason string) {
	var l lock
	if err := json.UnmarshalRead(bytes.NewReader(data), &l, json.RejectUnknownMembers(true)); err != nil {
		return nil, "it is not a lock file: bad JSON, a name twice or a key that this relay does not know"
	}
	if l.Format != format {
		return nil, "its format is not the one that this relay reads"
	}
	seen := map[string]bool{}
	for i := range l.Plugins {
		p := &l.Plugins[i]
		if reason := p.check(); reason != "" {
			return nil, reason
		}
		if seen[p.ID()] {
			return nil, "a name and version is in it twice"
		}
		seen[p.ID()] = true
	}
	return l.Plugins, ""
}

// check says what is wrong with an entry, in words of ours.
func (p *Plugin) check() string {
	switch {
	case !validWord(p.Name) || !validWord(p.Version):
		return "a name or version in it is not one"
	case p.Path != place(p.Name, p.Version):
		return "a path in it leads elsewhere"
	case !validFile(p.Entry):
		return "a program in it lies elsewhere"
	case !sum().MatchString(p.SHA256):
		return "a checksum in it is not one"
	}
	for name, digest := range p.Files {
		if !validFile(name) || name == p.Entry {
			return "a file in it lies elsewhere"
		}
		if !sum().MatchString(digest) {
			return "a checksum in it is not one"
		}
	}
	return ""
}

// maxName bounds the path of a file of a plugin, in bytes.
const maxName = 1024

// validFile reports whether name is a path of a file in a plugin's directory on
// every system: no way up, no drive, no stream, nothing that a terminal obeys.
func validFile(name string) bool {
	if name == "." || !fs.ValidPath(name) || len(name) > maxName || !filepath.IsLocal(filepath.FromSlash(name)) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return strings.ContainsRune(`\:*?"<>|`, r) || !unicode.IsPrint(r) })
}

// write replaces the lock file.
func write(dir *statefile.Dir, all []Plugin) error {
	data, err := json.Marshal(lock{Format: format, Plugins: all}, json.Deterministic(true), json.FormatNilSliceAsNull(false),
		jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	if err := dir.Write(lockFile, append(data, '\n')); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	return nil
}
