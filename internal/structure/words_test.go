package structure

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// word is something that no file of the repository says.
type word struct {
	pattern, why string
	except       []string // path.Match patterns
}

// Patterns are cut in two where they would otherwise find themselves.
var words = []word{
	{pattern: `\b(TO` + `DO|FIX` + `ME|X` + `XX|HA` + `CK)\b`, why: "finish it, or open an issue"},
	{pattern: `(^|[\s"'(=:` + "`" + `])/(work|tmp/plan|ho` + `me/runner|Us` + `ers/runner)/`, why: "a path of one machine"},
	{pattern: `\b(proxy|sum|index)\.` + `golang\.`, why: "which package source to use is the user's choice"},
	{pattern: `\b(registry|files)\.` + `(npm|yarn|python)`, why: "which package source to use is the user's choice"},
	{pattern: `(?i)\b(issue|fixes|closes|resolves) #` + `\d+`, why: "say what the matter is; numbers of trackers get lost"},
	{pattern: `(?i)\b(generated|written) (by|with) (an? )?` + `(ai|llm|assistant|copilot)\b`, why: "somebody answers for every line"},
	{pattern: `-----BEGIN [A-Z ]*PRIVATE` + ` KEY-----\n[A-Za-z0-9+/=]{60}`, why: "a key, even of a test, sets off everybody's scanners"},
}

// unread are files that we did not write. Test data, which quotes what others
// write, is not read either.
var unread = []string{"LICENSE", "go.sum", "*/go.sum", "*/*/go.sum", "proto/*/*/*/*.pb.go"}

func TestWords(t *testing.T) {
	patterns := make([]*regexp.Regexp, len(words))
	for i, w := range words {
		patterns[i] = regexp.MustCompile(`(?m)` + w.pattern)
	}
	walk(t, func(file string) {
		if matchesAny(unread, file) || strings.Contains(file, "/testdata/") {
			return
		}
		text := read(t, file)
		if !utf8.ValidString(text[:min(len(text), 512)]) && strings.Contains(text[:min(len(text), 512)], "\x00") {
			return // not text
		}
		for i, w := range words {
			if matchesAny(w.except, file) {
				continue
			}
			for _, at := range patterns[i].FindAllStringIndex(text, 3) {
				line := 1 + strings.Count(text[:at[0]], "\n")
				t.Errorf("%s:%d says %q: %s", file, line, text[at[0]:at[1]], w.why)
			}
		}
	})
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, name)
		return ok && err == nil
	})
}
