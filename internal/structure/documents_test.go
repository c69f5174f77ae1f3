package structure

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?\n *```")
	inline  = regexp.MustCompile("`[^`\n]+`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *#* *$`)
	target  = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	// An assignment or an option may stand before the target.
	makeUse = regexp.MustCompile("(?m)(?:^ *(?:\\$ )?|`)make ([a-z][a-z-]*)")
)

// Every relative link of a document leads somewhere, to the heading too.
func TestLinksLeadSomewhere(t *testing.T) {
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	documents(t, func(file, text string) {
		prose := inline.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, m := range link.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			name, anchor, _ := strings.Cut(m[1], "#")
			to := file
			if name != "" {
				to = path.Join(path.Dir(file), name)
			}
			if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(to))); err != nil || strings.HasPrefix(to, "..") {
				t.Errorf("%s links to %s, which does not exist", file, m[1])
				continue
			}
			if anchor != "" && strings.HasSuffix(to, ".md") && !anchors(read(t, to))[anchor] {
				t.Errorf("%s links to %s, but there is no such heading", file, m[1])
			}
		}
	})
}

// Every `make` that a document speaks of is in the Makefile.
func TestDocumentsNameRealTargets(t *testing.T) {
	targets := map[string]bool{}
	for _, m := range target.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	documents(t, func(file, text string) {
		for _, m := range makeUse.FindAllStringSubmatch(text, -1) {
			if !targets[m[1]] {
				t.Errorf("%s speaks of make %s, which does not exist", file, m[1])
			}
		}
	})
}

// anchors returns the names under which a document's headings can be linked to.
func anchors(text string) map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		out[anchor(m[1])] = true
	}
	return out
}

// anchor makes the name of a heading as the common forges do: lower case,
// hyphens for spaces, other punctuation left out.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// documents calls f with every Markdown file that people read.
func documents(t *testing.T, f func(file, text string)) {
	t.Helper()
	walk(t, func(file string) {
		if strings.HasSuffix(file, ".md") && !strings.Contains(file, "testdata/") {
			f(file, read(t, file))
		}
	})
}

func TestAnchors(t *testing.T) {
	got := anchors("# The `relay`, its parts\n```sh\n# no heading\n```\n## How a call flows #\n")
	for _, want := range []string{"the-relay-its-parts", "how-a-call-flows"} {
		if !got[want] {
			t.Errorf("no anchor %q in %v", want, got)
		}
	}
	if len(got) != 2 {
		t.Errorf("anchors in code: %v", got)
	}
}
