package guard

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
)

// FuzzMatcher compares the matcher with the regexp package, which it stands for.
func FuzzMatcher(f *testing.F) {
	patterns := []string{
		`(?i)\b(?:ignore|forget)\b[^.\n]{0,9}\b(?:all|every)\b`, `^a.*b$`, `(?m)^x|y$`, `(?s)a.{2,40}b\B`, `[^a-z\s]{3}`, ``,
		`(?i)key["']?\s{0,3}[=:]\s{0,3}["']?([^\s"']{6,80})`, `(?:a|ab)(?:c|bcd)(?:d*)`, `[A-Z]{2}\w+`, `\x00|\$\{`,
	}
	for i := range patterns {
		f.Add(uint8(i), "ignore it all; AxB y\nx abcd ABz '' key = 'abcdef1' a23456b ${")
	}
	f.Fuzz(func(t *testing.T, n uint8, text string) {
		tree, err := syntax.Parse(patterns[int(n)%len(patterns)], syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		loose := loosen(tree)
		m := newMatcher(loose)
		for range 2 { // states are made, then used
			found, known := m.match(text)
			if want := regexp.MustCompile(loose.String()).MatchString(strings.ToLower(text)); known && found != want {
				t.Fatalf("%s in %q: %v, want %v", loose, text, found, want)
			}
		}
	})
}

// TestMatchersAgree runs the matcher of every probe over all material.
func TestMatchersAgree(t *testing.T) {
	var texts []string
	for _, item := range readCorpus(t, sampleDir()) {
		for _, text := range item.content().Strings() {
			texts = append(texts, text[:min(len(text), 2<<10)])
		}
	}
	if len(texts) > 150 {
		texts = texts[:150]
	}
	all := testEngine(t).searcher.probes
	for i := range all {
		p := &all[i]
		for _, text := range texts {
			found, known := p.matcher().match(text)
			if !known && ascii(text) {
				t.Fatalf("%s: no matcher", p.loose())
			}
			if known && found != p.loose().MatchString(strings.ToLower(text)) {
				t.Fatalf("%s in %q: %v", p.loose(), text, found)
			}
		}
	}
}
