package config

import (
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// More modes of a scanner, policies for its failures, and choices that the relay
// makes by itself.
const (
	ModeOff        = "off"      // in an override only
	PolicyFallback = "fallback" // another scanner judges instead
	Auto           = "auto"
)

// What becomes of content, or a part of it, that no scanner could inspect.
// Auto looks at the bytes: text is judged as text, true images and audio are
// flagged, anything else is blocked.
const (
	UninspectedAllow = "allow"
	UninspectedFlag  = "flag"
	UninspectedBlock = "block"
	UninspectedStrip = "strip" // the part is taken out, the rest passes
)

// When verdicts of a scanner are kept and used again for the same content.
const (
	CacheTrue        = "true"
	CacheFalse       = "false"
	CacheDefinitions = "definitions" // only those on definitions
)

// When a scanner is confined to what it needs (Linux).
const (
	SandboxAlways = "always" // no network and no files but its own, from the first instruction on
	SandboxNever  = "never"
)

// Override changes the policy of a scanner for some content. Of several that
// fit, the last one that sets a value wins.
type Override struct {
	Servers     []string        // patterns; empty: all
	Tools       []string        // patterns of targets; empty: all
	Phases      []verdict.Phase // empty: all
	Mode        string          // ModeEnforce, ModeObserve or ModeOff; empty: as the scanner
	Threshold   string          // as in Scanner; empty: as the scanner
	OnError     string          // as in Scanner; empty: as the scanner
	Timeout     time.Duration   // 0: as the scanner
	Uninspected string          // as in Relay; empty: as the relay
}

// Exception says that a finding of a rule, at a place, does not count.
type Exception struct {
	Rule     string          // pattern of rule ids
	Scanners []string        // names; empty: all
	Servers  []string        // patterns; empty: all
	Tools    []string        // patterns of targets; empty: all
	Phases   []verdict.Phase // empty: all
	Pointer  string          // pattern of JSON Pointers, a star for one token, ** for any number; empty: everywhere
	Reason   string          // for people
	Until    time.Time       // zero: for ever
}

// The policies for a definition that is not what it was. DriftGraded lets the
// class of the change decide.
const (
	DriftGraded = "graded"
	DriftAllow  = "allow"
	DriftFlag   = "flag"
	DriftHold   = "hold"
)

// Definitions says what becomes of definitions that changed since they were
// last offered. Each class of change has its own policy; none is empty after
// loading.
type Definitions struct {
	Drift                                                   string
	Wording, Schema, Default, Annotation, URL, Renamed, New string
}

// Cache bounds the verdicts that are kept.
type Cache struct {
	Memory int           // bytes
	Disk   bool          // verdicts on definitions outlive the process
	TTL    time.Duration // at most a week
}

// driftClasses names the classes of change in the order in which documents list
// them, with the policy that graded means for each.
var driftClasses = []struct {
	name, graded, doc string
	at                func(*Definitions) *string
}{
	{"wording", DriftFlag, "Text changed: a description, a title, instructions.", func(d *Definitions) *string { return &d.Wording }},
	{"schema", DriftHold, "The schema takes or asks for more than before.", func(d *Definitions) *string { return &d.Schema }},
	{"default", DriftHold, "A default, an enum or a constant in the schema is new or another.",
		func(d *Definitions) *string { return &d.Default }},
	{"annotation", DriftHold, "Annotations or other metadata changed.", func(d *Definitions) *string { return &d.Annotation }},
	{"url", DriftHold, "An address appeared that was not there before.", func(d *Definitions) *string { return &d.URL }},
	{"renamed", DriftHold, "A known definition has another name.", func(d *Definitions) *string { return &d.Renamed }},
	{"new", DriftFlag, "A definition that a known server did not have before.", func(d *Definitions) *string { return &d.New }},
}

// setDrift gives each class of change that the file leaves out its policy.
func (d *Definitions) setDrift() {
	for _, class := range driftClasses {
		policy := class.at(d)
		switch {
		case *policy != "":
		case d.Drift == DriftGraded:
			*policy = class.graded
		default:
			*policy = d.Drift
		}
	}
}

// Effective returns the policy of a scanner for content of a phase, with its
// overrides applied; target is the tool, prompt or URI as the server knows it.
func (s *Scanner) Effective(server, target string, phase verdict.Phase) Override {
	o := Override{Mode: s.Mode, Threshold: s.Threshold, OnError: s.OnError, Timeout: s.Timeout}
	if !s.Covers(server, phase) { // an override makes it judge no more than that
		o.Mode = ModeOff
		return o
	}
	for i := range s.Overrides {
		if s.Overrides[i].fits(server, target, phase) {
			o.apply(&s.Overrides[i])
		}
	}
	return o
}

// ByTarget reports whether the target of content of a phase of a server makes a
// difference to Effective.
func (s *Scanner) ByTarget(server string, phase verdict.Phase) bool {
	return slices.ContainsFunc(s.Overrides, func(o Override) bool {
		return len(o.Tools) > 0 && o.concerns(server, phase)
	})
}

// Enforces reports whether the scanner enforces a phase of a server, but for
// what overrides say of single tools: whoever takes one of those from it, has
// decided that it passes.
func (s *Scanner) Enforces(server string, phase verdict.Phase) bool {
	mode := s.Mode
	for i := range s.Overrides {
		o := &s.Overrides[i]
		if o.Mode == "" || !o.concerns(server, phase) {
			continue
		}
		// What only looks as if it named all tools takes the scanner away from
		// nearly all, and gives it less than all.
		if o.Mode == ModeEnforce && o.everything() || o.Mode != ModeEnforce && o.general() {
			mode = o.Mode
		}
	}
	return mode == ModeEnforce && s.Covers(server, phase)
}

// general reports whether the override is not about single tools.
func (o *Override) general() bool {
	return len(o.Tools) == 0 || slices.ContainsFunc(o.Tools, func(p string) bool { return strings.Trim(p, "*?") == "" })
}

// everything reports whether the override holds for every target, for content
// without one too.
func (o *Override) everything() bool { return len(o.Tools) == 0 || slices.Contains(o.Tools, "*") }

func (o *Override) concerns(server string, phase verdict.Phase) bool {
	return anyMatches(o.Servers, server) && (len(o.Phases) == 0 || slices.Contains(o.Phases, phase))
}

func (o *Override) fits(server, target string, phase verdict.Phase) bool {
	return o.concerns(server, phase) && anyMatches(o.Tools, target)
}

func anyMatches(patterns []string, name string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

func (o *Override) apply(by *Override) {
	if by.Mode != "" {
		o.Mode = by.Mode
	}
	if by.Threshold != "" {
		o.Threshold = by.Threshold
	}
	if by.OnError != "" {
		o.OnError = by.OnError
	}
	if by.Timeout != 0 {
		o.Timeout = by.Timeout
	}
	if by.Uninspected != "" {
		o.Uninspected = by.Uninspected
	}
}
