package guard

import (
	"context"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// reach is how far from the border between two texts something is looked for that
// stands in both, in bytes: more than any expression of our own needs.
const reach = 2 << 10

// separators are what a reader may have between two texts of one content: some put
// nothing there, some a line break.
var separators = [...]string{"", "\n"}

// joins reports whether a string is read together with its like: the text blocks
// of a result or of a prompt, what is said while a request runs. Whoever writes
// them can cut a sentence anywhere.
func joins(p scanner.Phase, pointer string) bool {
	name := memberName(pointer)
	switch p {
	case scanner.PhaseResponse, scanner.PhaseServerRequest:
		// What stands in structuredContent stands in a block as well.
		return name == "text" && !strings.HasPrefix(pointer, "/structuredContent/")
	case scanner.PhaseNotification:
		switch name {
		case "method", "level", "logger", "progressToken", "requestId", "taskId", "status", "uri":
			return false
		}
		return true
	default:
		return false
	}
}

// joined looks for what no text has alone but two or more have together.
func (s *scan) joined(ctx context.Context, texts []field) error {
	if len(texts) < 2 {
		return nil
	}
	for _, separator := range separators {
		r := chain{separator: separator}
		for i := range texts {
			text := texts[i].text
			if len(text) <= 2*reach {
				r.append(i, 0, text)
			} else {
				head, tail := runeSpan(text, span{0, reach}), runeSpan(text, span{len(text) - reach, len(text)})
				r.append(i, 0, text[:head.end])
				s.together(texts, &r)
				r.reset()
				r.append(i, tail.start, text[tail.start:])
			}
			if r.text.Len() > pieceSize {
				last := r.parts[len(r.parts)-1]
				s.together(texts, &r)
				r.reset()
				r.append(last.text, last.at, texts[last.text].text[last.at:last.at+last.size])
			}
			if ctx.Err() != nil {
				return &scanner.Error{Reason: scanner.ReasonTimeout, Message: "the scan was not done in time", ContentCaused: true}
			}
		}
		s.together(texts, &r)
	}
	if s.budget.spent {
		s.uninspected("", "work limit")
	}
	return nil
}

// chain is a piece of the texts one after the other.
type chain struct {
	separator string
	text      strings.Builder
	parts     []part
}

// part is a range of a chain that comes from one text.
type part struct{ start, text, at, size int }

func (r *chain) append(text, at int, s string) {
	if s == "" {
		return
	}
	if len(r.parts) > 0 {
		r.text.WriteString(r.separator)
	}
	r.parts = append(r.parts, part{start: r.text.Len(), text: text, at: at, size: len(s)})
	r.text.WriteString(s)
}

func (r *chain) reset() {
	r.text.Reset()
	r.parts = r.parts[:0]
}

// together looks at a chain, and reports what crosses a border in it.
func (s *scan) together(texts []field, r *chain) {
	if len(r.parts) < 2 {
		return
	}
	all := field{text: r.text.String(), role: roleText}
	inner := &scan{engine: s.engine, settings: s.settings, phase: s.phase, origin: s.origin, budget: s.budget}
	folded := s.tables.fold(all.text, false)
	switch {
	case r.separator != "":
		inner.look(all, 0, &folded, asFolded) // no secret has a line break in it
	case folded.segments == nil:
		inner.look(all, 0, &folded, asFolded|asIs)
	default:
		inner.look(all, 0, &folded, asFolded)
		inner.look(all, 0, &view{text: all.text}, asIs)
	}
	s.budget = inner.budget
	s.overflow = max(s.overflow, inner.overflow)
	for i := range inner.found {
		s.crossing(texts, r, &inner.found[i])
	}
}

// crossing reports a finding in a chain that lies in more than one text: where it is
// cut out, in all of them, else in the one that completes it.
func (s *scan) crossing(texts []field, r *chain, found *result) {
	var touched []part
	for _, p := range r.parts {
		if p.start < found.Location.End && found.Location.Start < p.start+p.size {
			touched = append(touched, p)
		}
	}
	if len(touched) < 2 {
		return // somebody found it already
	}
	if found.action != scanner.ActionRedact {
		touched = touched[len(touched)-1:]
	}
	for _, p := range touched {
		at := span{found.Location.Start - p.start, found.Location.End - p.start}.within(span{0, p.size})
		res := *found
		s.add(texts[p.text], &view{}, at, p.at, res)
	}
}
