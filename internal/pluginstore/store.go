package pluginstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

// Names within the store.
const (
	lockFile    = "plugins.lock"
	lockName    = "plugins.busy" // held while something changes
	directory   = "plugins"
	stagingName = ".staging-"
)

// Store is a directory with installed scanners. Its methods may be called by
// several goroutines and processes at once.
type Store struct {
	// Dir is the store's directory. It need not exist.
	Dir string
	// Reserved are names that no installed scanner may have.
	Reserved []string
	// Guard says why a file, or a directory above it, could be changed by
	// somebody else; nil: not asked.
	Guard func(path string) error
}

// Errors of the store, which wrap them.
var (
	ErrNotInstalled = errors.New("it is not installed")
	ErrName         = errors.New("this cannot be the name of an installed scanner: use up to 64 of a-z, 0-9, '.', '_' and '-', " +
		"beginning with a letter or digit, without '..'")
	ErrVersion = errors.New("this cannot be the version of an installed scanner: use up to 64 of a-z, 0-9, '.', '_' and '-', " +
		"beginning with a letter or digit, without '..'")
	ErrReserved = errors.New("a scanner of that name is part of the relay: choose another with --name")
	ErrExists   = errors.New("another program is installed under this name and version: choose another version, or replace it with --force")
)

var word = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`) })

func validWord(s string) bool { return word().MatchString(s) && !strings.Contains(s, "..") }

// CheckName says why no scanner can be installed under this name and version.
func (s *Store) CheckName(name, version string) error {
	switch {
	case !validWord(name):
		return ErrName
	case slices.Contains(s.Reserved, name):
		return ErrReserved
	case !validWord(version):
		return ErrVersion
	}
	return nil
}

// Plugin is an installed scanner, as the lock file has it.
type Plugin struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Path is its directory, relative to the store, with slashes.
	Path string `json:"path"`
	// Entry is the program, relative to Path, with slashes.
	Entry string `json:"entry"`
	// SHA256 is the program's checksum in lower-case hexadecimal.
	SHA256 string `json:"sha256"`
	// Files are the other files, relative to Path, with their checksums.
	Files map[string]string `json:"files,omitempty"`
	// Source is where it came from, as it was given.
	Source    string    `json:"source"`
	Installed time.Time `json:"installed"`
	// Script is set when the program is run by an interpreter, which no checksum
	// here covers.
	Script bool `json:"script,omitempty"`
	// SelfContained and NeedsNetwork are what it said of itself.
	SelfContained bool `json:"self_contained,omitempty"`
	NeedsNetwork  bool `json:"needs_network,omitempty"`
}

// ID returns the name and version as a configuration writes them.
func (p *Plugin) ID() string { return p.Name + "@" + p.Version }

// Program returns the absolute path of a plugin's program.
func (s *Store) Program(p *Plugin) string {
	return filepath.Join(s.Tree(p), filepath.FromSlash(p.Entry))
}

// Tree returns the absolute path of a plugin's directory.
func (s *Store) Tree(p *Plugin) string { return filepath.Join(s.Dir, filepath.FromSlash(p.Path)) }

// List returns what is installed, the latest last. None is no error.
func (s *Store) List() ([]Plugin, error) {
	dir, err := statefile.Open(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the installed scanners: %w", err)
	}
	defer dir.Close()
	return s.read(dir)
}

// Find returns the plugin of a name and version; without a version the one that
// was installed last. The error wraps ErrNotInstalled when there is none.
func (s *Store) Find(name, version string) (Plugin, error) {
	all, err := s.List()
	if err != nil {
		return Plugin{}, err
	}
	for _, p := range slices.Backward(all) {
		if p.Name == name && (version == "" || p.Version == version) {
			return p, nil
		}
	}
	return Plugin{}, ErrNotInstalled
}

// Remove takes a plugin away, all versions of it when version is empty, and
// returns what was removed.
func (s *Store) Remove(ctx context.Context, name, version string) ([]Plugin, error) {
	dir, root, unlock, err := s.change(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	all, err := s.read(dir)
	if err != nil {
		return nil, err
	}
	var gone, stay []Plugin
	for _, p := range all {
		if p.Name == name && (version == "" || p.Version == version) {
			gone = append(gone, p)
		} else {
			stay = append(stay, p)
		}
	}
	if len(gone) == 0 {
		return nil, ErrNotInstalled
	}
	if err := write(dir, stay); err != nil { // first: what is not listed is never started
		return nil, err
	}
	for _, p := range gone {
		if err := root.RemoveAll(filepath.FromSlash(p.Path)); err != nil {
			return nil, fmt.Errorf("remove the files of %s: %w", p.ID(), err)
		}
		_ = root.Remove(filepath.Join(directory, p.Name)) // when it was the last version
	}
	return gone, nil
}

// change opens the store for a change and keeps others from changing it.
func (s *Store) change(ctx context.Context) (*statefile.Dir, *os.Root, func(), error) {
	dir, err := statefile.Create(s.Dir)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open the installed scanners: %w", err)
	}
	unlock, err := dir.Lock(ctx, lockName)
	if err != nil {
		dir.Close()
		return nil, nil, nil, fmt.Errorf("another installation is going on: %w", err)
	}
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		unlock()
		dir.Close()
		return nil, nil, nil, fmt.Errorf("open the installed scanners: %w", err)
	}
	return dir, root, func() {
		_ = root.Close() // nothing to lose
		unlock()
		dir.Close()
	}, nil
}

// place returns the directory of a name and version, relative to the store.
func place(name, version string) string { return path.Join(directory, name, version) }
