package selfedit

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// protected is what is protected at a time: as the options spell it and as the
// file system has it. Paths in it are keys.
type protected struct {
	taken    time.Time
	files    map[string]bool
	dirs     map[string]bool
	prefixes []string
	stems    []string // their last elements
	suffixes []string
	names    map[string]bool // last elements of all of them
	lengths  [256]bool       // of names, so that most words are not looked up
	infos    []os.FileInfo   // of those that exist
	bases    []base
	entries  map[string]bool // names with a dot in bases that are protected
	spaced   []string        // ends of paths, from the element with a space on
	fs       lookups
}

// base is a directory from which relative paths are taken.
type base struct {
	path string
	real bool // it has no links
	// inside holds the names in it when it is itself in a protected directory:
	// not every word is a path that leads there.
	inside bool
	have   map[string]bool
}

func newProtected(o *Options) *protected {
	p := &protected{
		taken: time.Now(), files: map[string]bool{}, dirs: map[string]bool{}, names: map[string]bool{}, entries: map[string]bool{},
	}
	p.fs.words = maxOwnLookups
	for _, f := range o.Files {
		p.place(f, func(k string) { p.files[k] = true })
	}
	for _, d := range o.Dirs {
		p.place(d, func(k string) { p.dirs[k] = true })
	}
	for _, f := range o.Prefixes {
		if dir, name := filepath.Split(f); filepath.IsAbs(f) && name != "" {
			for _, spelling := range p.spellings(dir) {
				p.prefixes = append(p.prefixes, key(spelling)+"/"+fold(name))
			}
			p.stems = append(p.stems, fold(name))
		}
	}
	for _, s := range o.Suffixes {
		p.suffixes = append(p.suffixes, "/"+fold(s))
		p.name(fold(s))
	}
	for _, b := range o.Bases {
		p.addBase(b)
	}
	p.fs.known = nil
	return p
}

// maxOwnLookups is how often the file system is asked for what is protected.
const maxOwnLookups = 1 << 14

// place adds a path in all its spellings.
func (p *protected) place(path string, add func(key string)) {
	if !filepath.IsAbs(path) {
		return
	}
	for _, spelling := range p.spellings(path) {
		k := key(spelling)
		add(k)
		p.name(k)
		if before, _, ok := strings.Cut(k, " "); ok {
			p.spaced = append(p.spaced, k[strings.LastIndexByte(before, '/')+1:])
		}
	}
	if info, err := os.Stat(path); err == nil {
		p.infos = append(p.infos, info)
	}
}

func (p *protected) name(path string) {
	name := path[strings.LastIndexByte(path, '/')+1:]
	p.names[name] = true
	p.lengths[min(len(name), len(p.lengths)-1)] = true
}

// spellings returns a path and, when it is another one, the path without links.
func (p *protected) spellings(path string) []string {
	list := []string{filepath.Clean(path)}
	if to, ok := p.fs.resolve("", slashes(path)); ok && !slices.Contains(list, to.path) {
		list = append(list, to.path)
	}
	return list
}

// maxEntries is how many names of a base are looked at.
const maxEntries = 4096

func (p *protected) addBase(dir string) {
	if !filepath.IsAbs(dir) {
		return
	}
	all := p.spellings(dir)
	for at, spelling := range all {
		b := base{path: slashes(spelling), real: at == len(all)-1}
		if slices.ContainsFunc(p.bases, func(have base) bool { return have.path == b.path }) {
			continue
		}
		if b.inside = p.contains(key(spelling)); b.inside {
			b.have = map[string]bool{}
			if f, err := os.Open(dir); err == nil {
				names, _ := f.Readdirnames(maxEntries)
				_ = f.Close()
				for _, name := range names {
					b.have[fold(name)] = true
					if strings.IndexByte(name, '.') > 0 {
						p.entries[fold(name)] = true
					}
				}
			}
		}
		p.bases = append(p.bases, b)
	}
}

// entry reports whether a path in a protected directory is meant as one: every
// word would lead there, so it is what begins as something that exists.
func (b *base) entry(text string, whole bool) bool {
	clean := path.Clean(text)
	first, _, deeper := strings.Cut(clean, "/")
	plain := !deeper && !whole && strings.IndexByte(first, '.') < 0
	return clean != "." && !plain && b.have[fold(first)]
}

// contains reports whether a key is a protected directory or lies in one.
func (p *protected) contains(key string) bool {
	for i := 1; i <= len(key); i++ {
		if (i == len(key) || key[i] == '/') && p.dirs[key[:i]] {
			return true
		}
	}
	return false
}

// holds reports whether a key is protected.
func (p *protected) holds(key string) bool {
	if p.files[key] || p.contains(key) {
		return true
	}
	for _, prefix := range p.prefixes {
		if strings.HasPrefix(key, prefix) && strings.IndexByte(key[len(prefix):], '/') < 0 {
			return true
		}
	}
	for _, suffix := range p.suffixes {
		if strings.HasSuffix(key, suffix) {
			return true
		}
	}
	return false
}

// spelled reports whether a text has the end of a protected path with a space in
// it: of such a path, a text has no words.
func (p *protected) spelled(text string) bool {
	if len(p.spaced) == 0 || strings.IndexByte(text, ' ') < 0 || strings.IndexByte(text, '/') < 0 {
		return false
	}
	text = fold(text)
	return slices.ContainsFunc(p.spaced, func(end string) bool { return strings.Contains(text, end) })
}

// has reports whether a word is the name of a file beside which a server works,
// in a protected directory.
func (p *protected) has(word string) bool {
	return len(p.entries) > 0 && strings.IndexByte(word, '.') > 0 && p.entries[fold(word)]
}

// same reports whether a file is a protected one by another name.
func (p *protected) same(info os.FileInfo) bool {
	return slices.ContainsFunc(p.infos, func(have os.FileInfo) bool { return os.SameFile(have, info) })
}

// named reports whether one element of a path is the last one of something
// protected. It is asked of every word.
func (p *protected) named(element string) bool {
	element = trimmed(element)
	for _, stem := range p.stems {
		if len(element) >= len(stem) && element[0]|0x20 == stem[0]|0x20 && strings.EqualFold(element[:len(stem)], stem) {
			return true
		}
	}
	if !p.lengths[min(len(element), len(p.lengths)-1)] {
		return false
	}
	var buf [64]byte
	if len(element) > len(buf) {
		return p.names[fold(element)]
	}
	for i := range len(element) {
		c := element[i]
		if c >= 0x80 {
			return p.names[fold(element)]
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return p.names[string(buf[:len(element)])]
}
