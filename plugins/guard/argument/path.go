package argument

import "strings"

// Escape says how a path leaves the directory that it is meant for.
type Escape uint8

// The ways out. Stays is none.
const (
	Stays   Escape = iota
	Climbs         // parent steps after a name, or more of them than a project is deep
	Encoded        // parent steps, spelt so that a filter does not see them
)

// deep is how many parent steps at the beginning of a path are more than
// ordinary relative paths have.
const deep = 5

// Traversal reports how text, read as a path, climbs.
func Traversal(text string) Escape {
	if !strings.ContainsAny(text, ".%․．") {
		return Stays
	}
	decoded := narrow(Decode(text))
	if decoded != text && parents(decoded) > parents(text) {
		return Encoded
	}
	text = decoded
	if spelt := speltAround(text); spelt {
		return Encoded
	}
	lead, low, out := climb(text)
	switch {
	case lead >= deep, lead >= 3 && !strings.Contains(text, "/"), out, low < 0:
		return Climbs
	default:
		return Stays
	}
}

// parents counts the parent steps in text as it stands.
func parents(text string) int {
	return strings.Count(text, "../") + strings.Count(text, `..\`)
}

// speltAround reports whether text becomes a parent step by what filters take
// out: dots and separators that are doubled or mixed.
func speltAround(text string) bool {
	for _, s := range [...]string{
		"....//", `....\/`, `....\\`, "..././", `...\.\`, "..;/", `..\../`, `../..\`, "..//..//", `..\/`, `../\`,
	} {
		if strings.Contains(text, s) {
			return true
		}
	}
	return strings.HasPrefix(text, ".././.././") || strings.Contains(text, "..\x00")
}

// climb walks text and returns the parent steps at its beginning, how far the
// steps behind a name lead below where the path began, and whether an absolute
// path went back to the root or above it.
func climb(text string) (lead, low int, out bool) {
	rooted := strings.HasPrefix(text, "/") || strings.HasPrefix(text, `\`) || len(text) > 2 && text[1] == ':'
	depth, inner, named := 0, 0, false
	if rooted && len(text) > 2 && text[1] == ':' {
		text = text[2:]
	}
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '/' || r == '\\' }) {
		switch {
		case part == ".":
		case part == ".." && named:
			inner++
			depth--
		case part == "..":
			lead++
		default:
			named = true
			depth++
		}
		low = min(low, depth)
		// The root of an absolute path is further than anybody wants to go.
		out = out || rooted && (depth < 0 || !named && lead > 0 || inner > 1 && depth == 0)
	}
	return lead, low, out
}
