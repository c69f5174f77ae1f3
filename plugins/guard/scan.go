package guard

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/mcp-relay/relay/scanner"
)

// Limits of one scan, in bytes.
const (
	pieceSize    = 256 << 10 // what is looked at in one go
	pieceOverlap = 4 << 10   // so that nothing hides on the border of two pieces
	baseWork     = 1 << 20   // what expressions may read, however short the message
	workPerByte  = 2         // and more for longer ones
)

// instructionRule and the prefixes name findings that no rule file names.
const (
	instructionRule     = "guard/instruction"
	instructionCategory = "instruction."
	secretPrefix        = "gitleaks/"
)

// scan is the state of one scan.
type scan struct {
	*engine
	settings *settings
	phase    scanner.Phase
	origin   scanner.Origin
	budget   budget
	left     int // bytes that may still be inspected
	// inventory is what other servers offer; nil: nothing, or it does not matter.
	inventory *inventory
	report
}

func newScan(e *engine, s *settings, c scanner.Content) *scan {
	return &scan{
		engine: e, settings: s, phase: c.Phase, origin: c.Origin, left: s.maxBytes,
		budget:    budget{left: baseWork + workPerByte*len(c.Data)},
		inventory: e.tables.newInventory(&c),
	}
}

// run looks at every string of c.
func (s *scan) run(ctx context.Context, c scanner.Content) error {
	if c.Kind == scanner.KindBlob {
		if !plainText(c.Data) {
			s.uninspected("", "media type")
			return nil
		}
		s.whole = true
		return s.field(ctx, field{text: string(c.Data), role: roleOf(s.phase, "", "")})
	}
	promises := false
	for pointer, name := range c.Keys() {
		promises = promises || name == readOnlyHint
		if err := s.field(ctx, field{pointer: pointer, text: name, role: roleName, key: true}); err != nil {
			return err
		}
		s.member(pointer, name)
	}
	var texts []field
	call := s.call(&c)
	var labelled labels
	for pointer, text := range c.Strings() {
		f := call.placed(s.phase, pointer, text)
		if encoded, ok := labelled.media(&c, pointer, text); ok {
			if raw, ok := decodedMedia(encoded); ok {
				if err := s.media(ctx, f, raw); err != nil {
					return err
				}
				continue
			}
			// Some readers decode it all the same.
			s.undecoded(pointer, encoded)
		}
		if err := s.field(ctx, f); err != nil {
			return err
		}
		if joins(s.phase, pointer) {
			texts = append(texts, f)
		}
	}
	s.commandLines(call)
	s.resembling()
	if promises && s.phase == scanner.PhaseDefinition {
		s.promised(c.Data)
	}
	return s.joined(ctx, texts)
}

// undecoded reports media that are not the base64 that they should be.
func (s *scan) undecoded(pointer, encoded string) {
	if !freeForm(pointer) || nearlyBase64(encoded) {
		s.uninspected(pointer, "encoding")
	}
}

// field looks at one string, in pieces.
func (s *scan) field(ctx context.Context, f field) error {
	s.labelled(f)
	return s.pieces(ctx, f, f.text, func(text string, base int) { s.piece(f, text, base) })
}

// media looks at base64 that stands for bytes: at their text, when they are
// text, whatever their declared type.
func (s *scan) media(ctx context.Context, f field, raw []byte) error {
	if !plainText(raw) {
		s.uninspected(f.pointer, "media type")
		return nil
	}
	all := span{0, len(f.text)}
	return s.pieces(ctx, f, string(raw), func(text string, _ int) {
		s.unfold(f, 0, nil, 0, []view{{text: text, via: "base64", kind: kindEncoded, whole: &all}})
	})
}

// pieces cuts text so that the memory and the time between two looks at ctx
// are bounded.
func (s *scan) pieces(ctx context.Context, f field, text string, each func(text string, base int)) error {
	if len(text) > s.left {
		s.uninspected(f.pointer, "size")
	}
	text = text[:runeSpan(text, span{0, min(len(text), s.left)}).end]
	s.left = max(0, s.left-len(text))
	s.budget.done = ctx.Done()
	for base := 0; base < len(text); {
		at := runeSpan(text, span{base, base + pieceSize})
		each(text[at.start:at.end], at.start)
		if ctx.Err() != nil {
			return &scanner.Error{Reason: scanner.ReasonTimeout, Message: "the scan was not done in time", ContentCaused: true}
		}
		if at.end == len(text) {
			break
		}
		base = at.end - pieceOverlap
	}
	if s.budget.spent {
		s.uninspected(f.pointer, "work limit")
	}
	return nil
}

// piece looks at one piece of a string, which starts at base, in every view.
func (s *scan) piece(f field, text string, base int) {
	folded := s.tables.fold(text, false)
	var views []view
	if !ascii(text) {
		for _, h := range unseen(text) {
			s.sighted(f, h, base)
			if h.payload != "" {
				at := h.at
				views = append(views, view{text: h.payload, via: "hidden characters", kind: kindEncoded, hidden: true, whole: &at})
			}
		}
		for _, h := range mixedScript(text, s.tables) {
			s.sighted(f, h, base)
		}
	}
	for _, h := range lineEnds(text) {
		s.sighted(f, h, base)
	}
	for _, h := range numbers(text) {
		s.sighted(f, h, base)
	}
	for _, h := range terminal(text) {
		s.sighted(f, h, base)
	}
	var hints hint
	if s.phase == scanner.PhaseRequest {
		s.value(f, text, base)
	}
	if folded.segments == nil {
		hints = s.look(f, base, &folded, asFolded|asIs)
	} else {
		hints = s.look(f, base, &folded, asFolded)
		s.look(f, base, &view{text: text}, asIs)
	}
	s.unfold(f, base, &folded, hints, views)
}

// look searches one view.
func (s *scan) look(f field, base int, v *view, readings reading) hint {
	var traits []trait
	wanted := func(p *probe) bool {
		return p.reading&readings != 0 && p.owner.applies(s.phase, f.role) && s.settings.wants(p.owner.rule)
	}
	each := func(m found) {
		switch o := m.owner; {
		case o.feature != nil:
			traits = append(traits, trait{o.feature.group, o.feature.Points, m.at})
		case o.rule != nil:
			if o.rule.accepts(v.text, span{o.rule.from(v.text, m.match.start), m.match.end}, m.at, &s.budget) {
				s.matched(f, o.rule, v, m.at, base)
			}
		case o.secret != nil:
			if s.secrets.accepts(o.secret, m) {
				s.leaked(f, o.secret, v, m.at, base)
			}
		}
	}
	hints := s.searcher.search(v.text, wanted, &s.budget, each)
	if s.phase == scanner.PhaseRequest && s.valueRoles.has(f.role) {
		if values, err := s.values(); err == nil {
			values.search(v.text, wanted, &s.budget, each)
		} else {
			s.uninspected(f.pointer, "rules")
		}
	}
	if readings&asFolded != 0 {
		traits = s.phrased(f, v, traits)
		if f.role == roleText && s.grammar.phases[s.phase] {
			s.grammar.find(s.phase, v.text, &s.budget, func(t trait) { traits = append(traits, t) })
		}
	}
	if len(traits) > 0 {
		if s.inventory != nil {
			s.named(f, base, v, slices.Clone(traits))
		}
		if j, ok := s.instructions.judge(s.phase, v.text, traits, v.hidden); ok {
			s.instructed(f, j, v, base)
		}
	}
	return hints
}

// phrased adds the groups that the phrases in a view show.
func (s *scan) phrased(f field, v *view, traits []trait) []trait {
	if !s.lexicon.phases[s.phase] || f.role == roleCommand || f.role == roleSQL || f.role == roleCode || f.role == roleReadOnly {
		return traits
	}
	parameter := describesParameter(f.pointer)
	wanted := func(p *phrase) bool {
		return p.phases[s.phase] && p.roles.has(f.role) && (!p.Parameter || parameter)
	}
	s.lexicon.find(v.text, wanted, &s.budget, func(p *phrase, at span) {
		for _, t := range p.traits {
			traits = append(traits, trait{t.group, t.points, at})
		}
	})
	if len(traits) > 0 && f.role == roleSchema && fixedString(f.pointer) {
		traits = append(traits, trait{s.instructions.concealed, strong, traits[0].at})
	}
	return traits
}

// applies reports whether a probe's owner reads such strings.
func (o owner) applies(p scanner.Phase, r role) bool {
	switch {
	case r == roleReadOnly: // is read in its own role as well
		return o.rule != nil && o.rule.roles != 0 && o.rule.roles.has(r) && o.rule.actions[p] != scanner.ActionUnspecified
	case o.rule != nil:
		return o.rule.actions[p] != scanner.ActionUnspecified && o.rule.roles.has(r)
	case o.feature != nil:
		return o.feature.phases[p] && r != roleCommand && r != roleSQL && r != roleCode
	default:
		return true
	}
}

// plainText reports whether data is text rather than other media.
func plainText(data []byte) bool {
	if !utf8.Valid(data) {
		return false
	}
	for _, c := range data {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != escKey && c != back && c != bell {
			return false
		}
	}
	return true
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
