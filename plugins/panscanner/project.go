package panscanner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

// projection is a JSON text as it is sent: the structure of the original, with
// needless escapes resolved and binary data replaced.
type projection struct {
	doc         []byte
	object      bool         // the text is an object
	empty       bool         // no name, string or number in it: nothing to judge
	altered     map[int]bool // tokens whose text is not the original's
	texts       []string     // the values of members called "text", in order
	uninspected []scanner.Uninspected
}

// project prepares one JSON text.
func project(data []byte) (*projection, error) {
	p := &projection{empty: true, altered: map[int]bool{}}
	marks, err := p.survey(data)
	if err != nil {
		return nil, err
	}
	if err := p.copy(data, marks); err != nil {
		return nil, err
	}
	return p, nil
}

// level is an object or array that survey is inside of.
type level struct {
	name  string // of the member that comes next
	media bool   // says that it holds an image, audio or a media type
	data  int    // token of its member "data"; -1: none
}

// survey finds the tokens that are declared to hold binary data, and the texts.
func (p *projection) survey(data []byte) (map[int]bool, error) {
	marks := map[int]bool{}
	var stack []level
	return marks, each(data, func(t token) error {
		if t.n == 0 {
			p.object = t.Kind() == '{'
		}
		top := &level{}
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		switch t.kind {
		case tokenOpen:
			stack = append(stack, level{data: -1})
		case tokenClose:
			if top.media && top.data >= 0 {
				marks[top.data] = true
			}
			stack = stack[:len(stack)-1]
		case tokenName:
			p.empty = false
			top.name = t.String()
		case tokenString:
			value := t.String()
			p.empty = p.empty && value == ""
			if top.see(value, t.n) || isDataURI(value) {
				marks[t.n] = true
			}
			if top.name == "text" {
				p.texts = append(p.texts, value)
			}
		case tokenNumber:
			p.empty = false
		default:
		}
		return nil
	})
}

// see takes note of a string member and reports whether it is binary by name.
func (l *level) see(value string, n int) bool {
	switch l.name {
	case "type":
		l.media = l.media || value == "image" || value == "audio"
	case "mimeType":
		l.media = true
	case "data":
		l.data = n
	default:
	}
	return l.name == "blob"
}

// copy writes the text to send.
func (p *projection) copy(data []byte, marks map[int]bool) error {
	var buf bytes.Buffer
	enc := jsontext.NewEncoder(&buf, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	w := newWalker(data)
	for {
		t, err := w.read()
		if errors.Is(err, io.EOF) {
			p.doc = bytes.TrimRight(buf.Bytes(), "\n")
			return nil
		}
		if err != nil {
			return err
		}
		out := t.Token
		if t.kind == tokenName || t.kind == tokenString {
			value := t.String()
			if marks[t.n] {
				value = p.replace(value, t.n, w)
			}
			out = jsontext.String(value)
		}
		if err := enc.WriteToken(out); err != nil {
			return fmt.Errorf("write token %d: %w", t.n, err)
		}
	}
}

// maxUninspected is how many parts a verdict may name.
const maxUninspected = 1000

func (p *projection) replace(value string, n int, w *walker) string {
	b, ok := decodeBinary(value)
	if !ok {
		return value
	}
	if b.reason != "" {
		p.skip(clampPointer(w.pointer()), b.reason)
	}
	p.altered[n] = true
	return b.text
}

// skip notes a part that was not inspected; what exceeds the number that a
// verdict may hold is summed up as the whole content.
func (p *projection) skip(pointer, reason string) {
	if len(p.uninspected) == maxUninspected-1 {
		pointer, reason = "", "more binary data than can be listed"
	}
	if len(p.uninspected) < maxUninspected {
		p.uninspected = append(p.uninspected, scanner.Uninspected{Pointer: pointer, Reason: reason})
	}
}

// projectText prepares plain text, as the JSON text of one string.
func projectText(data []byte) *projection {
	p := &projection{empty: len(data) == 0, altered: map[int]bool{}}
	if !utf8.Valid(data) {
		p.altered[0] = true // offsets in what is sent are not those of the data
	}
	p.doc = quote(strings.ToValidUTF8(string(data), "\uFFFD"))
	return p
}

// projectBlob prepares data of another media type.
func projectBlob(data []byte) *projection {
	b := describe(data)
	p := projectText([]byte(b.text))
	p.empty = len(data) == 0
	p.altered[0] = true
	if b.reason != "" {
		p.skip("", b.reason)
	}
	return p
}

// quote returns s, which is valid UTF-8, as a JSON string.
func quote(s string) []byte {
	out, err := jsontext.AppendQuote(nil, s)
	if err != nil { // invalid UTF-8 has become U+FFFD in out
		return out
	}
	return out
}

// maxPointer is the longest pointer that a verdict may hold, in bytes.
const maxPointer = 4 << 10

// clampPointer returns the nearest ancestor whose pointer is short enough.
func clampPointer(pointer string) string {
	for len(pointer) > maxPointer {
		pointer = pointer[:strings.LastIndexByte(pointer[:maxPointer+1], '/')]
	}
	return pointer
}
