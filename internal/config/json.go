package config

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonFile reads JSON with comments and trailing commas into nodes.
type jsonFile struct {
	builder
	dec   *jsontext.Decoder
	lines *lines
}

// parseJSON returns the tree of a JSON file, nil after a problem.
func parseJSON(data []byte, out *notes) *node {
	clean := BlankComments(data)
	f := &jsonFile{
		builder: builder{notes: out},
		// Duplicate names are reported by the builder, all of them and with both lines.
		dec:   jsontext.NewDecoder(bytes.NewReader(clean), jsontext.AllowDuplicateNames(true)),
		lines: newLines(data),
	}
	root, err := f.value(0)
	if err == nil && root != nil {
		err = f.end()
	}
	if err != nil {
		f.syntax(err)
		return nil
	}
	return root
}

// end reports what follows the value.
func (f *jsonFile) end() error {
	if _, err := f.dec.ReadToken(); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return err //nolint:wrapcheck // reported by syntax
	}
	f.notes.problem(f.here(1), "", "there is more after the end of the JSON value")
	return nil
}

// here is the place of a token of the given length that was just read.
func (f *jsonFile) here(length int) *node {
	line, col := f.lines.at(int(f.dec.InputOffset()) - length)
	return &node{line: line, col: col}
}

// value reads one value. It returns nil without an error when a limit is hit.
func (f *jsonFile) value(depth int) (*node, error) {
	switch f.dec.PeekKind() {
	case '{', '[':
		return f.container(depth)
	default:
		raw, err := f.dec.ReadValue()
		if err != nil {
			return nil, err //nolint:wrapcheck // reported by syntax
		}
		return f.scalar(raw, depth), nil
	}
}

func (f *jsonFile) scalar(raw jsontext.Value, depth int) *node {
	at := f.here(len(raw))
	k, text := nullKind, string(raw)
	switch raw.Kind() { //nolint:exhaustive // null is the default; containers do not get here
	case '"':
		k = stringKind
		if unquoted, err := jsontext.AppendUnquote(nil, raw); err == nil {
			text = string(unquoted)
		}
	case '0':
		k = numberKind
	case 't', 'f':
		k = boolKind
	}
	n := f.node(k, at.line, at.col, depth)
	if n != nil {
		n.text = text
	}
	return n
}

func (f *jsonFile) container(depth int) (*node, error) {
	open, err := f.dec.ReadToken()
	if err != nil {
		return nil, err //nolint:wrapcheck // reported by syntax
	}
	isObject := open.Kind() == '{'
	k := listKind
	if isObject {
		k = objectKind
	}
	at := f.here(1)
	n := f.node(k, at.line, at.col, depth)
	if n == nil {
		return nil, nil //nolint:nilnil // a limit is hit and reported
	}
	seen := map[string]int{}
	for f.dec.PeekKind() != '}' && f.dec.PeekKind() != ']' {
		var name *node
		if isObject {
			if name, err = f.value(depth); name == nil {
				return nil, err
			}
		}
		value, err := f.value(depth + 1)
		if value == nil {
			return nil, err
		}
		if isObject {
			f.add(n, member{name: name.text, key: name, value: value}, seen)
		} else {
			n.items = append(n.items, value)
		}
	}
	if _, err := f.dec.ReadToken(); err != nil {
		return nil, err //nolint:wrapcheck // reported by syntax
	}
	return n, nil
}

// syntax reports why the text is not JSON. The parser's own words quote one
// character at most, so that no secret gets into the message.
func (f *jsonFile) syntax(err error) {
	at := f.here(0)
	reason := "it ends too early"
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at.line, at.col = f.lines.at(int(syntactic.ByteOffset))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			reason = printable(syntactic.Err.Error())
		}
	}
	f.notes.problem(at, "look just before this place for a missing or extra comma, quote or bracket",
		"this is not valid JSON: %s", reason)
}
