package scan

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/media"
	"github.com/mcp-relay/relay/internal/verdict"
)

// unseen reports whether a failure says that the scanner does not look at such
// content at all.
func unseen(f *verdict.Failure) bool {
	return f.Reason == "oversize" || f.Reason == "too_large" || f.Reason == reasonUnsupported
}

// reasonUnsupported is the failure of a scanner that takes no such content.
const reasonUnsupported = "unsupported"

// lookCloser decides about the parts of the content that no scanner inspected.
func (d *deliberation) lookCloser() Outcome {
	parts, policy := d.uninspected()
	if len(parts) == 0 {
		return Passed
	}
	switch policy {
	case UninspectedAllow:
		d.recordOwn(verdict.Allow, parts)
		return Passed
	case UninspectedFlag:
		d.recordOwn(verdict.Flag, parts)
		return Passed
	case UninspectedAuto:
		return d.byTheirBytes(parts)
	case UninspectedStrip:
		return d.strip(parts)
	default:
		return d.refuseParts(parts)
	}
}

// uninspected returns the parts that nobody inspected who gave a verdict, and
// the policy for them: the strictest that is meant for this content, else the
// panel's. Those are the parts that all of them name, and the opaque ones: most
// scanners read strings, see nothing to name in base64, and would let anything
// pass in it.
func (d *deliberation) uninspected() (parts []verdict.Uninspected, policy Uninspected) {
	judged := false
	for i := range d.opinions {
		o := &d.opinions[i]
		switch {
		case o.moot || o.failure != nil:
			continue
		case !judged:
			parts = o.verdict.Uninspected
		default:
			parts = inBoth(parts, o.verdict.Uninspected)
		}
		judged, policy = true, max(policy, o.seat.terms.Uninspected)
	}
	if judged {
		parts = d.withOpaque(parts)
	}
	if len(d.withheld) > 0 { // nobody will see those
		parts = slices.DeleteFunc(slices.Clone(parts), func(u verdict.Uninspected) bool {
			index, _, ok := item(d.s.Catalogue, u.Pointer)
			_, gone := slices.BinarySearch(d.withheld, index)
			return ok && gone
		})
	}
	return parts, d.panel.policyFor(policy)
}

// withOpaque adds the opaque parts of the content, unless a scanner that reads
// such parts gave a verdict.
func (d *deliberation) withOpaque(parts []verdict.Uninspected) []verdict.Uninspected {
	if d.content.Kind != verdict.JSON {
		return parts
	}
	found, err := media.Parts(d.content.Data)
	if len(found) == 0 && err == nil || d.readMedia() {
		return parts
	}
	all := slices.Clone(parts)
	if err != nil {
		return append(all, verdict.Uninspected{Reason: "more opaque parts than are looked at"})
	}
	for i := range found {
		named := func(u verdict.Uninspected) bool { return inside(found[i].String, u.Pointer) }
		if !slices.ContainsFunc(parts, named) {
			all = append(all, verdict.Uninspected{Pointer: found[i].String, Reason: found[i].Detected.String()})
		}
	}
	return all
}

// readMedia reports whether a scanner that reads opaque parts gave a verdict.
func (d *deliberation) readMedia() bool {
	return slices.ContainsFunc(d.opinions, func(o opinion) bool {
		return o.failure == nil && !o.moot && o.seat.member.ReadsMedia != nil && o.seat.member.ReadsMedia()
	})
}

// policyFor returns the policy for uninspected parts where terms have this one.
func (p *panel) policyFor(terms Uninspected) Uninspected {
	for _, policy := range [...]Uninspected{terms, p.Uninspected} {
		if policy != UninspectedUnset {
			return policy
		}
	}
	return UninspectedAuto
}

// inBoth returns the parts that are in both lists, or inside a part of the other.
func inBoth(a, b []verdict.Uninspected) []verdict.Uninspected {
	var both []verdict.Uninspected
	add := func(u verdict.Uninspected) {
		if !slices.ContainsFunc(both, func(known verdict.Uninspected) bool { return known.Pointer == u.Pointer }) {
			both = append(both, u)
		}
	}
	for _, one := range a {
		for _, other := range b {
			switch {
			case inside(one.Pointer, other.Pointer):
				add(one)
			case inside(other.Pointer, one.Pointer):
				add(other)
			default:
			}
		}
	}
	return both
}

// inside reports whether a pointer names a value, or something in it.
func inside(pointer, of string) bool {
	rest, ok := strings.CutPrefix(pointer, of)
	return ok && (rest == "" || rest[0] == '/')
}

// opaque returns what the bytes of uninspected parts are. A part that is none of
// which that can be told is in rest.
func (d *deliberation) opaque(parts []verdict.Uninspected) (known []media.Part, rest []verdict.Uninspected) {
	if d.content.Kind != verdict.JSON {
		return nil, parts
	}
	found, err := media.Parts(d.content.Data)
	if err != nil {
		return nil, parts
	}
	byPointer := make(map[string]int, len(found))
	for i := range found {
		byPointer[found[i].String] = i
	}
	for _, u := range parts {
		if i, ok := byPointer[u.Pointer]; ok {
			known = append(known, found[i])
		} else {
			rest = append(rest, u)
		}
	}
	return known, rest
}

// byTheirBytes judges text as text whatever its label is, flags images and sound,
// and refuses the rest. A string that is no opaque part is what its reader sees,
// whatever it looked like to the scanners: it is text too.
func (d *deliberation) byTheirBytes(parts []verdict.Uninspected) Outcome {
	known, others := d.opaque(parts)
	var texts, flagged, refused []verdict.Uninspected
	var text [][]byte
	for i := range known {
		u := verdict.Uninspected{Pointer: known[i].String, Reason: known[i].Detected.String()}
		switch known[i].Detected {
		case media.Text:
			texts, text = append(texts, u), append(text, known[i].Text)
		case media.Image, media.Audio:
			flagged = append(flagged, u)
		default:
			u.Reason = known[i].Reason
			refused = append(refused, u)
		}
	}
	for i, plain := range d.strings(others) {
		if plain == nil {
			refused = append(refused, others[i])
		} else {
			texts, text = append(texts, others[i]), append(text, plain)
		}
	}
	if len(flagged) > 0 {
		d.recordOwn(verdict.Flag, flagged)
	}
	if out := d.refuseParts(refused); out != Passed {
		return out
	}
	if len(texts) == 0 {
		return Passed
	}
	return d.hearText(texts, bytes.Join(text, []byte{'\n'}))
}

// strings returns the text of parts that are strings, and nil for others.
func (d *deliberation) strings(parts []verdict.Uninspected) [][]byte {
	if len(parts) == 0 || d.content.Kind != verdict.JSON {
		return make([][]byte, len(parts))
	}
	pointers := make([]string, len(parts))
	for i := range parts {
		pointers[i] = parts[i].Pointer
	}
	return verdict.Texts(d.content.Data, pointers)
}

// hearText has the text of parts judged by the same scanners. It cannot
// be edited where it stands, so whatever stops it refuses the parts.
func (d *deliberation) hearText(parts []verdict.Uninspected, text []byte) Outcome {
	s := &Subject{Part: d.s.Part, Content: *d.content, ToServer: d.s.ToServer}
	s.Content.Kind, s.Content.MIME, s.Content.Data = verdict.Text, "text/plain", text
	inner := &deliberation{
		gate: d.gate, panel: d.panel, seats: d.seats, s: s, ctx: d.ctx, id: d.id, start: time.Now(), end: d.end,
		content: &s.Content, asText: true,
	}
	out := inner.hear()
	if out == Passed {
		if left, _ := inner.uninspected(); len(left) > 0 || !inner.judged() {
			out = Blocked // it was text, and still nobody looked at all of it
		}
	}
	d.waited += inner.waited
	d.opinions = append(d.opinions, inner.opinions...)
	d.own, d.noted = append(d.own, inner.own...), append(d.noted, inner.noted...)
	if out == Blocked {
		return d.refuseParts(parts)
	}
	return out
}

// judged reports whether anybody gave a verdict.
func (d *deliberation) judged() bool {
	return slices.ContainsFunc(d.opinions, func(o opinion) bool { return o.failure == nil && !o.moot })
}

// strip takes uninspected parts out. What cannot be taken out is refused.
func (d *deliberation) strip(parts []verdict.Uninspected) Outcome {
	known, refused := d.opaque(parts)
	if out := d.refuseParts(refused); out != Passed || len(known) == 0 {
		return out
	}
	stripped, err := media.Strip(d.content.Data, known, "not inspected")
	if err != nil {
		return d.refuseParts(parts)
	}
	gone := make([]verdict.Uninspected, len(known))
	for i := range known {
		gone[i] = verdict.Uninspected{Pointer: known[i].String, Reason: known[i].Detected.String()}
	}
	d.recordOwn(verdict.Redact, gone)
	d.replace(stripped)
	return Passed
}

// refuseParts blocks the content because of some parts, or withholds the items
// of a catalogue that they are in.
func (d *deliberation) refuseParts(parts []verdict.Uninspected) Outcome {
	if len(parts) == 0 {
		return Passed
	}
	d.recordOwn(verdict.Block, parts)
	at := make([]verdict.Finding, len(parts))
	for i := range parts {
		at[i].Location.Pointer = parts[i].Pointer
	}
	items, named := d.itemsOf(at)
	if !named {
		return Blocked
	}
	d.withhold(items)
	return Passed
}
