package verdict

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxGrowth is by how many bytes redacting may lengthen content.
const maxGrowth = 1 << 20

// Redacted returns the content's data with the edits of findings applied; without
// edits it returns the data itself. Only strings with an edit are written anew,
// every other byte stays. Ranges that overlap become one, with the category of
// the most severe finding. Where an edit brings no text of its own it becomes
//
//	[redacted:category#n]
//
// n counts the different texts of one category in the content, so that equal
// secrets have equal marks. Who may not bring its own text is the caller's to
// decide, by clearing HasText.
//
// It fails, and nothing may be forwarded, when a location does not fit, an edit
// is not of a string, or the result would be more than 1 MiB longer.
func Redacted(c Content, findings []Finding) ([]byte, error) {
	var edits []*Finding
	for i := range findings {
		if findings[i].Edit == nil {
			continue
		}
		if err := findings[i].validate(); err != nil {
			return nil, fmt.Errorf("redact: %w", err)
		}
		edits = append(edits, &findings[i])
	}
	if len(edits) == 0 {
		return c.Data, nil
	}
	r := redaction{marks: map[mark]int{}, last: map[string]int{}}
	switch c.Kind {
	case JSON:
		return r.json(c.Data, edits)
	case Text:
		for _, f := range edits {
			if f.Location.Pointer != "" {
				return nil, errNowhere
			}
		}
		return r.text(nil, c.Data, edits)
	default:
		return nil, errors.New("redact: this kind of content has no text to replace")
	}
}

var (
	errNowhere  = fmt.Errorf("redact: %w", errLeads)
	errTooLarge = errors.New("redact: the result would be too large")
)

// mark is what has one number: a text in a category.
type mark struct{ category, original string }

// redaction is the state of redacting one content.
type redaction struct {
	marks  map[mark]int
	last   map[string]int // the highest number by category
	growth int
}

// json redacts JSON. Strings are visited in their order, and so numbered.
func (r *redaction) json(data []byte, edits []*Finding) ([]byte, error) {
	pointers := make([]string, len(edits))
	for i, f := range edits {
		pointers[i] = f.Location.Pointer
	}
	out := make([]byte, 0, len(data)+len(data)/8)
	done, found := 0, 0
	err := locate(data, pointers, func(p place) error {
		if p.kind != '"' {
			return fmt.Errorf("redact: %w", errNotString)
		}
		here := make([]*Finding, len(p.named))
		for i, index := range p.named {
			here[i] = edits[index]
		}
		found += len(here)
		text, err := r.text(nil, p.decoded(), here)
		if err != nil {
			return err
		}
		out = append(out, data[done:p.from]...)
		if out, err = jsontext.AppendQuote(out, text); err != nil {
			return fmt.Errorf("redact: %w", err)
		}
		done = p.from + len(p.raw)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if found < len(edits) {
		return nil, errNowhere
	}
	return append(out, data[done:]...), nil
}

// text appends the decoded text with the edits applied.
func (r *redaction) text(dst, decoded []byte, edits []*Finding) ([]byte, error) {
	spans, err := merge(decoded, edits)
	if err != nil {
		return nil, err
	}
	done := 0
	for _, s := range spans {
		dst = append(dst, decoded[done:s.start]...)
		before := len(dst)
		dst = r.replacement(dst, s.by, decoded[s.start:s.end])
		r.growth += len(dst) - before - (s.end - s.start)
		if r.growth > maxGrowth {
			return nil, errTooLarge
		}
		done = s.end
	}
	return append(dst, decoded[done:]...), nil
}

func (r *redaction) replacement(dst []byte, by *Finding, original []byte) []byte {
	if by.Edit.HasText {
		return append(dst, by.Edit.Text...)
	}
	key := mark{by.Category, string(original)}
	n, known := r.marks[key]
	if !known {
		n = r.last[by.Category] + 1
		r.last[by.Category] = n
		r.marks[key] = n
	}
	dst = append(append(dst, "[redacted:"...), by.Category...)
	dst = strconv.AppendInt(append(dst, '#'), int64(n), 10)
	return append(dst, ']')
}

// replaced is a range and the finding that says with what to replace it.
type replaced struct {
	start, end int
	by         *Finding
}

// merge returns the ranges of edits in ascending order, overlapping ones as
// one.
func merge(decoded []byte, edits []*Finding) ([]replaced, error) {
	spans := make([]replaced, len(edits))
	for i, f := range edits {
		if err := f.Location.fits(decoded); err != nil {
			return nil, fmt.Errorf("redact: %w", err)
		}
		spans[i] = replaced{f.Location.Start, f.Location.End, f}
		if f.Location.whole() {
			spans[i].end = len(decoded)
		}
	}
	slices.SortStableFunc(spans, func(a, b replaced) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	merged := spans[:1]
	for _, s := range spans[1:] {
		last := &merged[len(merged)-1]
		if s.start >= last.end && s.start > last.start {
			merged = append(merged, s)
			continue
		}
		last.end = max(last.end, s.end)
		if s.by.Severity > last.by.Severity {
			last.by = s.by
		}
	}
	return merged, nil
}
