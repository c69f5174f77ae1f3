package conformance

import (
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// places are where content could go unseen. Each takes a text.
func places(size int) []struct {
	name string
	kind scanner.Kind
	put  func(text string) string
} {
	type place = struct {
		name string
		kind scanner.Kind
		put  func(text string) string
	}
	return []place{
		{"plain text", scanner.KindText, func(text string) string { return text }},
		{"a blob of text", scanner.KindBlob, func(text string) string { return text }},
		{"the name of a member", scanner.KindJSON, func(text string) string { return `{` + quote(text) + `:1}` }},
		{"the text of an error", scanner.KindJSON, func(text string) string { return `{"code":-32000,"message":` + quote(text) + `}` }},
		{"structured content", scanner.KindJSON, func(text string) string {
			return `{"content":[],"structuredContent":{"a":[{"b":` + quote(text) + `}]}}`
		}},
		{"a string 500 levels deep", scanner.KindJSON, func(text string) string {
			return strings.Repeat("[", 500) + quote(text) + strings.Repeat("]", 500)
		}},
		{"the last of 20000 strings", scanner.KindJSON, func(text string) string {
			return "[" + strings.Repeat(`"x",`, 20_000) + quote(text) + "]"
		}},
		{"the end of a large string", scanner.KindJSON, func(text string) string {
			return `{"content":[{"type":"text","text":` + quote(strings.Repeat("word ", (size-len(text)-256)/5)+text) + `}]}`
		}},
		{"a string after a large one", scanner.KindJSON, func(text string) string {
			return `[` + quote(strings.Repeat("word ", (size-len(text)-256)/5)) + `,` + quote(text) + `]`
		}},
	}
}

// covered compares: of a scanner that finds a text in a tool's answer it can be
// said what it overlooks. Of one that finds nothing it cannot.
func covered(p *probe) {
	l := p.ready()
	if l == nil {
		return
	}
	if !p.suite.judges(scanner.PhaseResponse, scanner.KindJSON) {
		p.skip("the scanner does not judge JSON in responses")
		return
	}
	var bait string
	for _, text := range append(p.suite.texts(), baits()...) {
		if v, err := l.Scan(p.ctx, asResult(text)); err == nil && reacts(v) {
			bait = text
			break
		}
	}
	if bait == "" {
		p.skip(noFindings)
		return
	}
	for _, place := range places(p.suite.opts.sizes.large) {
		if !p.suite.judges(scanner.PhaseResponse, place.kind) {
			continue // such content is refused
		}
		v, err := l.Scan(p.ctx, sample{usual, "", scanner.PhaseResponse, place.kind, place.put(bait)}.content())
		if err == nil && !reacts(v) && len(v.Uninspected) == 0 {
			p.fault("%s: it allows what it finds in the text of a tool's answer, and names nothing uninspected", place.name)
		}
	}
}

func reacts(v scanner.Verdict) bool { return v.Action != scanner.ActionAllow || len(v.Findings) > 0 }

// texts returns the contents that were given, as texts.
func (s *suite) texts() []string {
	var out []string
	for _, c := range s.opts.Contents {
		if c.Kind == scanner.KindText && len(c.Data) < 4<<10 {
			out = append(out, string(c.Data))
		}
	}
	return out
}
