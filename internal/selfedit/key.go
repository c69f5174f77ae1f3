package selfedit

import (
	"path"
	"runtime"
	"strings"
)

// slashes returns a path with slashes only, and without the letter of a drive or
// what Windows has before it: drives are not told apart.
func slashes(p string) string {
	if runtime.GOOS == "windows" {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	for _, prefix := range []string{"//?/", "//./"} {
		p = strings.TrimPrefix(p, prefix)
	}
	if drive(p) {
		p = p[2:]
	}
	return p
}

// drive reports whether a path begins with the letter of a drive and a slash.
func drive(p string) bool {
	return len(p) > 2 && p[1] == ':' && (p[2] == '/' || p[2] == '\\') && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z')
}

// key returns a path as it is compared: clean, with slashes, in lower case. Case
// is ignored everywhere: two files that differ only by case are rare, and file
// systems that ignore it are mounted on every system.
func key(p string) string { return fold(path.Clean(slashes(p))) }

func fold(s string) string {
	s = strings.ToLower(s)
	if runtime.GOOS != "windows" {
		return s
	}
	elements := strings.Split(s, "/")
	for i, e := range elements {
		elements[i] = trimmed(e)
	}
	return strings.Join(elements, "/")
}

// trimmed leaves out what Windows leaves out at the end of a name.
func trimmed(element string) string {
	if runtime.GOOS != "windows" || len(element) < 3 {
		return element
	}
	return strings.TrimRight(element, ". ")
}
