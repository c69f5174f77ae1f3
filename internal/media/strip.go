package media

import (
	"cmp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// how a part is taken out.
type how uint8

const (
	stripBlock how = iota // the whole object becomes a text block
	stripBlob             // the contents of a resource become text
	stripURI              // the string becomes another data: URI
)

// stripping is what Strip has to know of a part.
type stripping struct {
	how      how
	from, to int   // the object
	at       value // the string
	mime     value
	hasText  bool // the object has a text besides
}

// RemovedURI is what stands for a data: URI that was taken out.
const RemovedURI = "data:text/plain,removed%20by%20the%20security%20relay"

// Strip returns data with the given parts taken out; without any it returns data
// itself. parts are some of those that Parts found in these very bytes. why is said
// in the text that stands for a part and is the caller's own: no foreign byte.
//
// A content block becomes a block of text. Contents of a resource keep their
// members, and have a text in the place of the blob. A data: URI becomes another
// one. All other bytes stay as they are. The error is ErrNotJSON, and then nothing
// may be forwarded.
func Strip(data []byte, parts []Part, why string) ([]byte, error) {
	if len(parts) == 0 {
		return data, nil
	}
	splices := make([]cut, 0, 3*len(parts))
	for i := range parts {
		p := &parts[i]
		if !p.strip.fits(data) {
			return nil, ErrNotJSON
		}
		splices = p.cuts(splices, why)
	}
	slices.SortStableFunc(splices, func(a, b cut) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	out := make([]byte, 0, len(data))
	done := 0
	for _, s := range splices {
		if s.from < done {
			continue // in a block that is gone, or told twice
		}
		out = append(append(out, data[done:s.from]...), s.with...)
		done = s.to
	}
	return append(out, data[done:]...), nil
}

// cut is what stands for data[from:to].
type cut struct {
	from, to int
	with     []byte
}

// fits reports whether the part can be one of data.
func (s *stripping) fits(data []byte) bool {
	if s.how == stripURI {
		return s.at.from >= 0 && s.at.from < s.at.to && s.at.to <= len(data) && data[s.at.from] == '"'
	}
	return s.at.nameFrom < s.at.nameTo && s.at.nameTo < s.at.from && s.at.from < s.at.to && s.at.to < len(data) &&
		s.from >= 0 && s.from < s.at.nameFrom && s.at.to < s.to && s.to <= len(data) && s.mime.to < len(data) &&
		data[s.from] == '{' && data[s.at.from] == '"'
}

// cuts appends what has to change for the part to be gone.
func (p *Part) cuts(list []cut, why string) []cut {
	s := &p.strip
	switch {
	case s.how == stripURI:
		return append(list, cut{s.at.from, s.at.to, []byte(`"` + RemovedURI + `"`)})
	case s.how == stripBlock:
		block := append([]byte(`{"type":"text","text":`), p.notice(why)...)
		return append(list, cut{s.from, s.to, append(block, '}')})
	case s.hasText:
		// The text that is there already must not get a second one beside it.
		return append(list, cut{s.at.from, s.at.to, []byte(`""`)})
	default:
		list = append(list, cut{s.at.nameFrom, s.at.nameTo, []byte(`"text"`)}, cut{s.at.from, s.at.to, p.notice(why)})
		if s.mime.there() {
			list = append(list, cut{s.mime.from, s.mime.to, []byte(`"text/plain"`)})
		}
		return list
	}
}

// notice returns the quoted text that stands for a part.
func (p *Part) notice(why string) []byte {
	what := "a part of another type"
	switch {
	case Known(p.Declared):
		what = p.Declared
	case p.Format != "":
		what = p.Format
	}
	text, _ := jsontext.AppendQuote(nil, "[removed by the security relay: "+what+"; "+why+"]")
	return text
}
