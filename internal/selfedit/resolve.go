package selfedit

import (
	"os"
	"path/filepath"
	"strings"
)

// Limits of asking the file system for one request.
const (
	maxLookups  = 512      // for the words of texts
	maxWhole    = 32 << 10 // for strings that are paths as a whole
	maxLinks    = 40       // in one path, as systems have it
	maxPath     = 4096     // bytes; a longer path is none
	maxElements = 128
)

// lookups asks the file system, each thing once per request and not too often.
// Texts full of words do not use up what is there for the paths beside them.
type lookups struct {
	words, whole int // how often it may still be asked, for either
	forWhole     bool
	refused      bool // it was not asked, as that was too often
	known        map[string]entry
}

// begin says what is looked at from now on.
func (l *lookups) begin(whole bool) { l.forWhole, l.refused = whole, false }

type entry struct {
	info os.FileInfo // nil: there is nothing
	link string      // where a link leads
}

func (l *lookups) lstat(path string) (e entry, ok bool) {
	if e, ok = l.known[path]; ok {
		return e, true
	}
	left := &l.words
	if l.forWhole {
		left = &l.whole
	}
	if *left <= 0 {
		l.refused = true
		return entry{}, false
	}
	*left--
	if info, err := os.Lstat(filepath.FromSlash(path)); err == nil {
		e.info = info
		if info.Mode()&os.ModeType != 0 && !info.IsDir() {
			// A link, or what Windows has of the kind.
			if target, err := os.Readlink(filepath.FromSlash(path)); err == nil {
				e.link = slashes(target)
			}
		}
	}
	if l.known == nil {
		l.known = map[string]entry{}
	}
	l.known[path] = e
	return e, true
}

// place is where a path leads.
type place struct {
	path string // without links, as far as it exists
	// infos are those of the directories on the way, and of the file at its end.
	infos []os.FileInfo
}

// resolve follows a path with slashes, from a directory that has no links, as a
// system does: links are followed before dot-dot. What does not exist is taken as
// it is written. ok is false when there is nothing to know any more.
func (l *lookups) resolve(dir, path string) (p place, ok bool) {
	if len(path) > maxPath {
		return place{}, false
	}
	todo := strings.Split(path, "/")
	at, links, steps, missing := strings.TrimSuffix(dir, "/"), 0, 0, false
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		if steps++; steps > maxElements {
			return place{}, false
		}
		switch {
		case name == "" || name == ".":
			continue
		case name == "..":
			at = at[:max(0, strings.LastIndexByte(at, '/'))]
			missing = false
			continue
		case missing:
			at += "/" + name
			continue
		}
		e, known := l.lstat(at + "/" + name)
		switch {
		case !known:
			return place{}, false
		case e.info == nil:
			missing = true
			at += "/" + name
		case e.link != "":
			if links++; links > maxLinks {
				return place{}, false
			}
			if strings.HasPrefix(e.link, "/") {
				at = ""
			}
			todo = append(strings.Split(e.link, "/"), todo...)
		default:
			at += "/" + name
			p.infos = append(p.infos, e.info)
		}
	}
	p.path = at
	if at == "" {
		p.path = "/"
	}
	return p, true
}
