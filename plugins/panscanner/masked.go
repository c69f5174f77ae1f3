package panscanner

import (
	"errors"
	"io"
	"unicode/utf8"

	"github.com/mcp-relay/relay/scanner"
)

// edit is a range of bytes in the text of a string token.
type edit struct {
	token      int
	start, end int
}

// diffStrings compares a JSON text with a masked copy of it. It reports false
// unless the copy is a JSON text of the same structure with the same names,
// numbers and words, in which each string that differs leaves a range to name.
func diffStrings(original, masked []byte) ([]edit, bool) {
	var edits []edit
	a, b := newWalker(original), newWalker(masked)
	for {
		x, errX := a.read()
		y, errY := b.read()
		if errX != nil || errY != nil {
			return edits, errors.Is(errX, io.EOF) && errors.Is(errY, io.EOF)
		}
		if x.kind != y.kind || x.Kind() != y.Kind() {
			return nil, false
		}
		if x.kind == tokenOpen || x.kind == tokenClose || x.kind == tokenWord {
			continue
		}
		was, is := x.String(), y.String()
		if was == is {
			continue
		}
		start, end := differing(was, is)
		if x.kind != tokenString || start == end {
			return nil, false
		}
		edits = append(edits, edit{token: x.n, start: start, end: end})
	}
}

// differing returns a range of was, on character boundaries, outside of which is
// has the same text.
func differing(was, is string) (start, end int) {
	shorter := min(len(was), len(is))
	for start < shorter && was[start] == is[start] {
		start++
	}
	tail := 0
	for tail < shorter-start && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	end = len(was) - tail
	// Where the text begins or ends with what the mask is made of, it is unknown
	// how far the mask reaches: take all of it.
	if middle := is[start : len(is)-tail]; middle != "" {
		for start > 0 && was[start-1] == middle[0] {
			start--
		}
		for end < len(was) && was[end] == middle[len(middle)-1] {
			end++
		}
	}
	start = runeBoundary(was, start)
	for end < len(was) && !utf8.RuneStart(was[end]) {
		end++
	}
	return start, end
}

// redaction turns a block for sensitive data alone into the removal of what the
// service masked. It reports false whenever anything else was detected, or the
// masked text does not say for certain what to remove.
func (p *piece) redaction(a answer) (scanner.Verdict, bool) {
	if a.action != actionBlock || a.incomplete || p.tools != nil || len(a.prompt)+len(a.response) > 0 {
		return scanner.Verdict{}, false
	}
	own, other := a.output, a.input
	if p.event.Output == "" {
		own, other = other, own
	}
	if len(own) != 1 || !only(own[0].raised, detectorDLP) || own[0].masked == nil || !only(a.summary, detectorDLP) {
		return scanner.Verdict{}, false
	}
	for _, e := range other {
		if len(e.raised) > 0 {
			return scanner.Verdict{}, false
		}
	}
	edits, ok := diffStrings(p.sent, []byte(*own[0].masked))
	if !ok || !p.joinHolds([]byte(*own[0].masked)) {
		return scanner.Verdict{}, false
	}
	return p.edits(edits)
}

// only reports whether raised is exactly the one detector.
func only(raised []string, detector string) bool {
	return len(raised) == 1 && raised[0] == detector
}

// joinHolds reports whether everything that is masked in the copy's joined texts
// is masked in its texts too. Otherwise something that is split between texts was
// found, and masking the texts one by one does not remove it.
func (p *piece) joinHolds(masked []byte) bool {
	if p.joined == 0 {
		return true
	}
	var texts []string
	joined, name := "", ""
	err := each(masked, func(t token) error {
		switch t.kind {
		case tokenName:
			name = t.String()
		case tokenString:
			switch name {
			case "text":
				texts = append(texts, t.String())
			case joinedMember:
				joined = t.String()
			default:
			}
		default:
			name = ""
		}
		return nil
	})
	return err == nil && covered(joinTexts(p.src.texts, p.joined), joined, joinTexts(texts, p.joined))
}

// covered reports whether wherever found differs from original, removed does too.
func covered(original, found, removed string) bool {
	if found == original || found == removed {
		return true
	}
	if len(found) != len(original) || len(removed) != len(original) {
		return false
	}
	for i := range len(original) {
		if found[i] != original[i] && removed[i] == original[i] {
			return false
		}
	}
	return true
}

// edits turns edits of what was sent into findings about the content.
func (p *piece) edits(edits []edit) (scanner.Verdict, bool) {
	var findings []scanner.Finding
	wanted := map[int]bool{}
	var at []edit
	for _, e := range edits {
		if p.chunk != nil {
			from := p.chunk.places[e.token-1] // token 0 is the bracket
			if !from.value {
				return scanner.Verdict{}, false
			}
			e = edit{token: from.token, start: e.start + from.offset, end: e.end + from.offset}
		}
		if p.src.altered[e.token] {
			return scanner.Verdict{}, false
		}
		wanted[e.token] = true
		at = append(at, e)
	}
	where := pointers(p.src.doc, wanted)
	for _, e := range at {
		pointer, ok := where[e.token]
		if !ok { // the joined texts, which come last
			continue
		}
		if pointer = p.prefix + pointer; len(pointer) > maxPointer {
			return scanner.Verdict{}, false
		}
		f := finding(detectorDLP)
		f.Redact, f.Location = true, scanner.Location{Pointer: pointer, Start: e.start, End: e.end}
		findings = append(findings, f)
	}
	return scanner.Redact(findings...), len(findings) > 0 && len(findings) <= maxFindings
}
