package config

import (
	"fmt"
	"slices"
	"strings"
)

// Installed is a scanner that was installed and can be named in a file.
type Installed struct {
	Name, Version string
	Program       string // absolute path
	SHA256        string // of the program, in lower-case hex
	Checksum      string // of all its files
}

// ID returns the name and version as a file writes them.
func (i *Installed) ID() string { return i.Name + "@" + i.Version }

// finishInstalled makes a scanner of an installed plugin, named with or without
// its version: without, the one that was installed last.
func (l *loader) finishInstalled(s *Scanner, plugin, at *node) {
	var installed []Installed
	if l.opts.Installed != nil {
		var err error
		if installed, err = l.opts.Installed(); err != nil {
			l.notes.problem(plugin, "relay plugin list shows what is installed", "what is installed cannot be read: %s", err)
			return
		}
	}
	name, version, pinned := strings.Cut(s.Plugin, "@")
	known := slices.Clone(bundledNames)
	versions := []string{}
	found := -1
	for i := range installed {
		known = append(known, installed[i].Name)
		if installed[i].Name != name {
			continue
		}
		versions = append(versions, installed[i].Version)
		if !pinned || installed[i].Version == version {
			found = i
		}
	}
	switch {
	case found >= 0:
		l.useInstalled(s, &installed[found], at)
	case len(versions) > 0:
		l.notes.problem(plugin, "installed are "+strings.Join(versions, ", "), "this version of %s is not installed", quote(name))
	default:
		hint := "bundled are " + strings.Join(bundledNames, ", ") +
			"; relay plugin install makes others known; a program needs its path, PATH is not searched"
		l.notes.problem(plugin, didYouMean(name, known, hint), "there is no bundled or installed scanner %s", plugin.shown())
	}
}

func (l *loader) useInstalled(s *Scanner, i *Installed, at *node) {
	if s.SHA256 != "" && s.SHA256 != i.SHA256 {
		l.notes.problem(at.get("sha256"), "remove it, or install the program that has it",
			"%s was installed with another checksum", quote(i.ID()))
	}
	chosen := *i
	s.Installed, s.Plugin, s.SHA256 = &chosen, i.Program, i.SHA256
	fmt.Fprintf(l.digest, "%q %q %q\n", i.Program, i.SHA256, i.Checksum) // another one is another configuration
}
