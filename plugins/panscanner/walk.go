package panscanner

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// tokenKind tells apart what a walk meets.
type tokenKind uint8

const (
	tokenOpen tokenKind = iota
	tokenClose
	tokenName
	tokenString
	tokenNumber
	tokenWord // true, false and null
)

// token is one token of a JSON text.
type token struct {
	jsontext.Token
	kind tokenKind
	n    int // its place in the text, counted from 0
}

// walker reads a JSON text token by token.
type walker struct {
	dec  *jsontext.Decoder
	next int
}

// newWalker reads doc. Lone surrogates become U+FFFD, as they do everywhere in
// the relay. Duplicate names are not looked for: the relay refuses them.
func newWalker(doc []byte) *walker {
	return &walker{dec: jsontext.NewDecoder(bytes.NewBuffer(doc), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// read returns the next token; the error is io.EOF at the proper end. The
// token is valid until the next call.
func (w *walker) read() (token, error) {
	t, err := w.dec.ReadToken()
	if err != nil {
		return token{}, err //nolint:wrapcheck // io.EOF is told apart by the caller
	}
	out := token{Token: t, n: w.next}
	w.next++
	switch t.Kind() {
	case '{', '[':
		out.kind = tokenOpen
	case '}', ']':
		out.kind = tokenClose
	case '0':
		out.kind = tokenNumber
	case '"':
		out.kind = tokenString
		if parent, length := w.dec.StackIndex(w.dec.StackDepth()); parent == '{' && length%2 == 1 {
			out.kind = tokenName
		}
	default:
		out.kind = tokenWord
	}
	return out, nil
}

// pointer returns the JSON Pointer of the token read last.
func (w *walker) pointer() string { return string(w.dec.StackPointer()) }

// each calls visit for every token of doc, and fails if doc is not one JSON text.
func each(doc []byte, visit func(token) error) error {
	w := newWalker(doc)
	depth, texts := 0, 0
	for {
		t, err := w.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if depth == 0 {
			texts++
		}
		switch t.kind {
		case tokenOpen:
			depth++
		case tokenClose:
			depth--
		default:
		}
		if err := visit(t); err != nil {
			return err
		}
	}
	if texts != 1 || depth != 0 {
		return errNotOneText
	}
	return nil
}

var errNotOneText = errors.New("not exactly one JSON text")

// pointers returns the JSON Pointers of the wanted tokens of doc, which is valid.
func pointers(doc []byte, wanted map[int]bool) map[int]string {
	out := make(map[int]string, len(wanted))
	w := newWalker(doc)
	for len(out) < len(wanted) {
		t, err := w.read()
		if err != nil {
			return out
		}
		if wanted[t.n] {
			out[t.n] = w.pointer()
		}
	}
	return out
}
