package config

import (
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func scannerWith(overrides ...Override) *Scanner {
	return &Scanner{
		Name: "s", Phases: verdict.Phases, Servers: []string{"*"}, Mode: ModeEnforce, OnError: PolicyBlock,
		Timeout: 5 * time.Second, Overrides: overrides,
	}
}

// TestCoverage: what passes unjudged because of an override is either a gap that
// is reported when the file is loaded, or the decision about a single tool.
func TestCoverage(t *testing.T) {
	response := []verdict.Phase{verdict.Response}
	tests := []struct {
		name      string
		overrides []Override
		enforces  bool   // the phase response of server x
		byTarget  bool   // there
		tool      string // the mode for the tool read_file of x
		other     string // and for another
	}{
		{"none", nil, true, false, ModeEnforce, ModeEnforce},
		{"off for a tool", []Override{{Tools: []string{"read_*"}, Mode: ModeOff}}, true, true, ModeOff, ModeEnforce},
		{"observed for a tool", []Override{{Tools: []string{"read_*"}, Mode: ModeObserve}}, true, true, ModeObserve, ModeEnforce},
		{"off for all tools", []Override{{Tools: []string{"*"}, Mode: ModeOff}}, false, true, ModeOff, ModeOff},
		{"off for all tools, spelt otherwise", []Override{{Tools: []string{"a", "?*"}, Mode: ModeOff}}, false, true, ModeOff, ModeOff},
		{"off", []Override{{Mode: ModeOff}}, false, false, ModeOff, ModeOff},
		{"off for the server", []Override{{Servers: []string{"x"}, Mode: ModeOff}}, false, false, ModeOff, ModeOff},
		{"off for another server", []Override{{Servers: []string{"y"}, Mode: ModeOff}}, true, false, ModeEnforce, ModeEnforce},
		{"off for another server's tool", []Override{{Servers: []string{"y"}, Tools: []string{"read_file"}, Mode: ModeOff}}, true, false, ModeEnforce, ModeEnforce},
		{"off in the phase", []Override{{Phases: response, Mode: ModeOff}}, false, false, ModeOff, ModeOff},
		{"off in another phase", []Override{{Phases: []verdict.Phase{verdict.Request}, Mode: ModeOff}}, true, false, ModeEnforce, ModeEnforce},
		{"off but for a tool", []Override{{Mode: ModeOff}, {Tools: []string{"read_file"}, Mode: ModeEnforce}}, false, true, ModeEnforce, ModeOff},
		{"off but for what has a name", []Override{{Mode: ModeOff}, {Tools: []string{"?*"}, Mode: ModeEnforce}}, false, true, ModeEnforce, ModeEnforce},
		{"off but for all", []Override{{Mode: ModeOff}, {Tools: []string{"*"}, Mode: ModeEnforce}}, true, true, ModeEnforce, ModeEnforce},
		{"the last wins", []Override{{Mode: ModeOff}, {Mode: ModeEnforce}}, true, false, ModeEnforce, ModeEnforce},
		{"a threshold", []Override{{Tools: []string{"read_file"}, Threshold: "high"}}, true, true, ModeEnforce, ModeEnforce},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := scannerWith(tt.overrides...)
			if got := s.Enforces("x", verdict.Response); got != tt.enforces {
				t.Errorf("enforces: %v", got)
			}
			if got := s.ByTarget("x", verdict.Response); got != tt.byTarget {
				t.Errorf("by target: %v", got)
			}
			if got := s.Effective("x", "read_file", verdict.Response).Mode; got != tt.tool {
				t.Errorf("the tool: %s", got)
			}
			if got := s.Effective("x", "other", verdict.Response).Mode; got != tt.other {
				t.Errorf("another tool: %s", got)
			}
			// What the gate lets pass as decided is what is enforced otherwise.
			if got := s.Effective("x", "", verdict.Response).Mode; tt.enforces && got != ModeEnforce {
				t.Errorf("without a target: %s", got)
			}
			if got := s.Effective("x", "file:///a", verdict.Response).Mode; tt.enforces && tt.other == ModeEnforce && got != ModeEnforce {
				t.Errorf("a URI: %s", got)
			}
		})
	}
}

func TestAScannerEnforcesOnlyWhatItCovers(t *testing.T) {
	s := scannerWith(Override{Mode: ModeEnforce})
	s.Phases = []verdict.Phase{verdict.Request}
	if s.Enforces("x", verdict.Response) || !s.Enforces("x", verdict.Request) {
		t.Error("an override widens what a scanner judges")
	}
	if got := s.Effective("x", "", verdict.Response).Mode; got != ModeOff {
		t.Errorf("mode %s", got)
	}
}

func TestExceptionExcepts(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	tests := []struct {
		name                  string
		of                    Exception
		rule, target, pointer string
		want                  bool
	}{
		{"the rule", Exception{Rule: "guard/x"}, "guard/x", "t", "/a", true},
		{"another rule", Exception{Rule: "guard/x"}, "guard/xy", "t", "/a", false},
		{"a pattern", Exception{Rule: "guard/*"}, "guard/xy", "t", "/a", true},
		{"a pattern ends at a slash", Exception{Rule: "gu*"}, "guard/xy", "t", "/a", false},
		{"all", Exception{Rule: "*"}, "guard/xy", "t", "/a", true},
		{"the tool", Exception{Rule: "*", Tools: []string{"a", "read_*"}}, "r", "read_file", "/a", true},
		{"another tool", Exception{Rule: "*", Tools: []string{"a", "read_*"}}, "r", "write_file", "/a", false},
		{"no tool", Exception{Rule: "*", Tools: []string{"read_*"}}, "r", "", "/a", false},
		{"the place", Exception{Rule: "*", Pointer: "/content/*/text"}, "r", "t", "/content/3/text", true},
		{"another place", Exception{Rule: "*", Pointer: "/content/*/text"}, "r", "t", "/content/3", false},
		{"before its end", Exception{Rule: "*", Until: now.Add(time.Second)}, "r", "t", "", true},
		{"at its end", Exception{Rule: "*", Until: now}, "r", "t", "", false},
	}
	for _, tt := range tests {
		if got := tt.of.Excepts(tt.rule, tt.target, tt.pointer, now); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestExceptionConcerns(t *testing.T) {
	e := Exception{Rule: "*", Scanners: []string{"a"}, Servers: []string{"x*"}, Phases: []verdict.Phase{verdict.Response}}
	for _, tt := range []struct {
		scanner, server string
		phase           verdict.Phase
		want            bool
	}{
		{"a", "x1", verdict.Response, true},
		{"b", "x1", verdict.Response, false},
		{"a", "y", verdict.Response, false},
		{"a", "x1", verdict.Request, false},
	} {
		if got := e.Concerns(tt.scanner, tt.server, tt.phase); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if !(&Exception{Rule: "*"}).Concerns("a", "x", verdict.Definition) {
		t.Error("what names nothing concerns everything")
	}
}

func TestPointerMatches(t *testing.T) {
	tests := []struct {
		pattern, pointer string
		want             bool
	}{
		{"", "", true},
		{"", "/a/b", true},
		{"/a", "/a", true},
		{"/a", "/a/b", false},
		{"/a", "", false},
		{"/a/*", "/a/b", true},
		{"/a/*", "/a", false},
		{"/a/*", "/a/b/c", false},
		{"/a/**", "/a", true},
		{"/a/**", "/a/b/c", true},
		{"/**", "", true},
		{"/**", "/x", true},
		{"/**/text", "/text", true},
		{"/**/text", "/a/b/text", true},
		{"/**/text", "/a/b/texts", false},
		{"/**/a/**/b", "/x/a/y/a/z/b", true},
		{"/**/a/*/b", "/a/a/a/b", true},
		{"/**/a/*/b", "/a/b/b/c", false},
		{"/a~1b/*", "/a~1b/0", true},
		{"/te*", "/text", false},
	}
	for _, tt := range tests {
		if got := pointerMatches(tt.pattern, tt.pointer); got != tt.want {
			t.Errorf("%q names %q: %v", tt.pattern, tt.pointer, got)
		}
	}
}

func FuzzPointerMatches(f *testing.F) {
	f.Add("/**/a/*/b", "/a/b/a/c/b")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, pattern, pointer string) {
		pointerMatches(pattern, pointer)
		if !pointerMatches("/**", "/"+pointer) {
			t.Errorf("two stars do not name %q", pointer)
		}
	})
}
