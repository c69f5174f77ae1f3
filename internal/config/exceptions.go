package config

import (
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Concerns reports whether findings of a scanner in a phase of a server can be
// excepted.
func (e *Exception) Concerns(scanner, server string, phase verdict.Phase) bool {
	return (len(e.Scanners) == 0 || slices.Contains(e.Scanners, scanner)) && anyMatches(e.Servers, server) &&
		(len(e.Phases) == 0 || slices.Contains(e.Phases, phase))
}

// Excepts reports whether a finding of a rule does not count: about a target, at
// the place that a JSON Pointer names.
func (e *Exception) Excepts(rule, target, pointer string, now time.Time) bool {
	return (e.Until.IsZero() || now.Before(e.Until)) && matches(e.Rule, rule) &&
		anyMatches(e.Tools, target) && pointerMatches(e.Pointer, pointer)
}

// pointerMatches reports whether a pattern of JSON Pointers names a place: a star
// stands for one token, two for any number. The empty pattern names all. The time
// it takes is bounded by the product of both lengths.
func pointerMatches(pattern, pointer string) bool {
	if pattern == "" {
		return true
	}
	want, have := strings.Split(pattern, "/")[1:], strings.Split(pointer, "/")[1:]
	// Where two stars were last, and how much they stand for so far.
	star, taken := -1, 0
	i, j := 0, 0
	for j < len(have) {
		switch {
		case i < len(want) && want[i] == "**":
			star, taken = i, j
			i++
		case i < len(want) && (want[i] == "*" || want[i] == have[j]):
			i++
			j++
		case star >= 0:
			taken++
			i, j = star+1, taken
		default:
			return false
		}
	}
	for i < len(want) && want[i] == "**" {
		i++
	}
	return i == len(want)
}
