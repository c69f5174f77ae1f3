package guard

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// expressions checks what is searched for: that it is fast on every text.
func (r *ruleReader) expressions(u *rule, words []string, bad func(key, format string, args ...any)) {
	if len(words) > maxWords {
		bad("words", "give up to %d words, or write two rules", maxWords)
		return
	}
	for _, w := range words {
		if len(w) < minLiteral || len(w) > maxRuleWord || !utf8.ValidString(w) || strings.TrimSpace(w) != w {
			bad("words", "use words of %d to %d bytes, without space at their ends", minLiteral, maxRuleWord)
			break
		}
	}
	if len(words) == 0 && len(u.Pattern) > maxPattern {
		bad("pattern", "the pattern has more than %d bytes: write several rules", maxPattern)
		return
	}
	if slices.ContainsFunc(u.Keywords, func(k string) bool { return k == "" || strings.ToLower(k) != k }) {
		bad("keywords", "write keywords in small letters, none of them empty")
	}
	r.probes(u, bad)
	for key, pattern := range map[string]string{"unless": u.Unless} {
		if err := checkPattern(pattern); err != nil {
			bad(key, "%v", err)
		}
	}
	if u.Near.Within < 0 || u.Near.Within > maxWithin {
		bad("near", "within is at most %d", maxWithin)
	}
	for _, p := range u.Near.patterns() {
		if err := checkPattern(p); err != nil {
			bad("near", "%v", err)
		}
		if len(p) > maxPattern {
			bad("near", "a pattern has more than %d bytes", maxPattern)
		}
	}
}

// probes checks the pattern itself.
func (r *ruleReader) probes(u *rule, bad func(key, format string, args ...any)) {
	if err := checkPattern(u.Pattern); err != nil {
		bad("pattern", "%v: see https://github.com/google/re2/wiki/Syntax for what there is", err)
		return
	}
	groups := regexp.MustCompile(u.Pattern).NumSubexp()
	if u.Group < 0 || u.Group > groups {
		bad("group", "the pattern has %d groups", groups)
	}
	probes, err := newProbes(owner{rule: u}, u.Pattern, u.Keywords, u.Group, looseRepeat)
	switch {
	case errors.Is(err, errNoKeywords):
		bad("pattern", "every match must contain a text of at least %d bytes: put one into the pattern, or into each of its "+
			"alternatives, or list under keywords, in small letters, words of which every match contains one", minLiteral)
	case err != nil:
		bad("pattern", "%v", err)
	}
	for i := range probes {
		if probes[i].total > maxReach {
			bad("pattern", "a match can have %d bytes, and %d are allowed: bound repetitions, as {0,40} instead of *",
				probes[i].total, maxReach)
		}
	}
}

// wordPattern returns the expression for any of words, in either case.
func wordPattern(words []string) string {
	alternatives := make([]string, len(words))
	for i, w := range words {
		p := regexp.QuoteMeta(w)
		if w != "" && wordByte(w[0]) && w[0] < utf8.RuneSelf {
			p = `\b` + p
		}
		if w != "" && wordByte(w[len(w)-1]) && w[len(w)-1] < utf8.RuneSelf {
			p += `\b`
		}
		alternatives[i] = p
	}
	return "(?i)(?:" + strings.Join(alternatives, "|") + ")"
}
