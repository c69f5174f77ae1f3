package pluginstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Problem is one thing about an installed plugin that is not as the lock file
// says.
type Problem struct {
	Path    string `json:"path"` // relative to the plugin's directory; empty: all of it
	Problem string `json:"problem"`
}

// DamagedError says that an installed plugin is not what was installed.
type DamagedError struct {
	ID       string
	Problems []Problem
}

// Error names the first problems and says what to do.
func (e *DamagedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the installed scanner %s is not what was installed", e.ID)
	for i, p := range e.Problems {
		if i == 3 {
			fmt.Fprintf(&b, "; and %d more", len(e.Problems)-i)
			break
		}
		fmt.Fprintf(&b, "; %s %s", strings.TrimSpace(p.Path), p.Problem)
	}
	b.WriteString("; relay plugin verify shows all of it; remove it with relay plugin remove and install it again")
	return b.String()
}

// Verify compares all files of a plugin with the lock file and looks at who may
// change them. It returns what is wrong, sorted by path.
func (s *Store) Verify(p *Plugin) []Problem {
	return s.verify(p, true)
}

// Check is for the start of a plugin whose program is hashed as it is executed:
// it verifies everything else. The error is a *DamagedError.
func (s *Store) Check(p *Plugin) error {
	if problems := s.verify(p, false); len(problems) > 0 {
		return &DamagedError{ID: p.ID(), Problems: problems}
	}
	return nil
}

func (s *Store) verify(p *Plugin, program bool) []Problem {
	root, err := os.OpenRoot(s.Tree(p))
	if err != nil {
		return []Problem{{Problem: "is missing: its directory cannot be opened"}}
	}
	defer func() { _ = root.Close() }() // it was only read
	v := &verifier{root: root, plugin: p, program: program, left: map[string]bool{p.Entry: true}}
	for name := range p.Files {
		v.left[name] = true
	}
	v.dir(".")
	for name := range v.left {
		v.say(name, "is missing")
	}
	if s.Guard != nil {
		if err := s.Guard(s.Program(p)); err != nil && !v.left[p.Entry] {
			v.say(p.Entry, "is not safe: "+err.Error())
		}
	}
	slices.SortFunc(v.problems, func(a, b Problem) int { return strings.Compare(a.Path, b.Path) })
	return v.problems
}

// verifier walks through one plugin.
type verifier struct {
	root     *os.Root
	plugin   *Plugin
	program  bool            // is hashed too
	left     map[string]bool // files that were not met yet
	problems []Problem
}

func (v *verifier) say(name, problem string) {
	v.problems = append(v.problems, Problem{Path: name, Problem: problem})
}

func (v *verifier) dir(name string) {
	f, err := v.root.Open(filepath.FromSlash(name))
	if err != nil {
		v.say(name, "cannot be opened")
		return
	}
	if info, err := f.Stat(); err == nil && exposed(info) != "" {
		v.say(name, exposed(info))
	}
	entries, err := f.ReadDir(-1)
	_ = f.Close() // it was only read
	if err != nil {
		v.say(name, "cannot be read")
	}
	for _, e := range entries {
		full := path.Join(name, e.Name())
		switch {
		case e.IsDir() && strings.Count(full, "/") < maxDepth:
			v.dir(full)
		case !v.left[full]:
			v.say(full, "was not installed")
		default:
			delete(v.left, full)
			v.file(full)
		}
	}
}

func (v *verifier) file(name string) {
	want := v.plugin.Files[name]
	if name == v.plugin.Entry {
		want = v.plugin.SHA256
	}
	have, reason := v.inspect(name, name != v.plugin.Entry || v.program)
	switch {
	case reason != "":
		v.say(name, reason)
	case have != "" && have != want:
		v.say(name, "was changed: its sha256 is "+have)
	}
}

// inspect returns a file's checksum, if asked for, or why it is not fit.
func (v *verifier) inspect(name string, hash bool) (digest, reason string) {
	local := filepath.FromSlash(name)
	named, err := v.root.Lstat(local)
	if err != nil {
		return "", "cannot be looked at"
	}
	if reason := unfit(named); reason != "" {
		return "", strings.Split(reason, ":")[0]
	}
	if reason := exposed(named); reason != "" {
		return "", reason
	}
	if !hash {
		return "", ""
	}
	f, err := v.root.OpenFile(local, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return "", "cannot be read"
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err != nil || !os.SameFile(info, named) {
		return "", "was replaced while it was looked at"
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", "cannot be read"
	}
	return hex.EncodeToString(h.Sum(nil)), ""
}
