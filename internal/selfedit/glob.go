package selfedit

import (
	"path"
	"strings"
)

// matches reports whether a pattern of a shell stands for something protected. A
// pattern that says nothing of the name, as * does, stands for the directory.
func (i *inquiry) matches(pattern string, absolute bool) bool {
	if absolute {
		return i.places.match(key(pattern), 0)
	}
	literal := literals(path.Clean(pattern))
	for b := range i.places.bases {
		base := &i.places.bases[b]
		k := key(base.path + "/" + pattern)
		if i.places.match(k, len(strings.Split(k, "/"))-literal) {
			return true
		}
	}
	return false
}

// literals returns how many elements a relative pattern has.
func literals(pattern string) int { return strings.Count(pattern, "/") + 1 }

// match compares a pattern with everything protected. Its elements from own on are
// those that the request wrote.
func (p *protected) match(pattern string, own int) bool {
	elements := strings.Split(pattern, "/")
	if len(elements) > maxElements {
		return false
	}
	for file := range p.files {
		if covers(elements, strings.Split(file, "/"), own, false) {
			return true
		}
	}
	for dir := range p.dirs {
		if covers(elements, strings.Split(dir, "/"), own, true) {
			return true
		}
	}
	for _, suffix := range p.suffixes {
		want := strings.Split(suffix[1:], "/")
		if len(elements) > len(want) && covers(elements[len(elements)-len(want):], want, 0, false) {
			return true
		}
	}
	return false
}

// covers reports whether a pattern stands for a path or, where it may be, for
// something in it.
func covers(pattern, path []string, own int, inside bool) bool {
	for n := 0; ; n++ {
		switch {
		case n == len(path):
			return (inside || n == len(pattern)) && tells(pattern, path, n-1, own)
		case n == len(pattern):
			return false
		case pattern[n] == "**":
			// What stands between two of them is left out.
			for last := len(pattern) - 1; ; last-- {
				if pattern[last] == "**" {
					return tails(pattern[last+1:], path[n:], inside)
				}
			}
		case !same(pattern[n], path[n]):
			return false
		}
	}
}

// tails is covers for what follows a **: any elements may be left out.
func tails(pattern, path []string, inside bool) bool {
	if len(pattern) == 0 || strings.ContainsAny(pattern[0][:min(1, len(pattern[0]))], "*?[") {
		return false // it stands for every name
	}
	for from := range path {
		if covers(pattern, path[from:], 0, inside) {
			return true
		}
	}
	return false
}

// same reports whether one element of a pattern stands for a name. As in shells, a
// wildcard does not stand for a leading dot.
func same(pattern, name string) bool {
	if pattern == name {
		return true
	}
	if pattern == "" || name == "" || name[0] == '.' && pattern[0] != '.' && pattern[0] != '[' {
		return false
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// tells reports whether the element that stands for the name says something of it:
// a letter of it, and when it begins with a wildcard, the directory too.
func tells(pattern, path []string, last, own int) bool {
	element := pattern[last]
	if element == path[last] {
		return true
	}
	letters := 0
	for _, c := range []byte(element) {
		if c != '*' && c != '?' && c != '.' && c != '[' && c != ']' {
			letters++
		}
	}
	if strings.IndexByte("*?[", element[0]) >= 0 {
		return letters > 0 && last > own && pattern[last-1] == path[last-1]
	}
	const few = 2
	return letters >= few
}
