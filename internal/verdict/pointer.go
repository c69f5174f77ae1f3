package verdict

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

var errNotJSON = errors.New("content is not valid JSON")

// validPointer reports whether p is a JSON Pointer as RFC 6901 writes it.
func validPointer(p string) bool {
	if p == "" {
		return true
	}
	if p[0] != '/' {
		return false
	}
	for i := range len(p) {
		if p[i] == '~' && (i+1 == len(p) || (p[i+1] != '0' && p[i+1] != '1')) {
			return false
		}
	}
	return true
}

// cutToken splits the first token, unescaped, off a valid pointer that is not
// empty.
func cutToken(p string) (token, rest string) {
	token = p[1:]
	if i := strings.IndexByte(token, '/'); i >= 0 {
		token, rest = token[:i], token[i:]
	}
	if strings.IndexByte(token, '~') >= 0 {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return token, rest
}

// place is a value that pointers name.
type place struct {
	kind jsontext.Kind
	// raw is the value as it is written, and from where it begins; for strings
	// only.
	raw  []byte
	from int
	// named holds the indexes of the pointers that name it.
	named []int
}

// decoded returns the value of a string; a lone surrogate is U+FFFD.
func (p *place) decoded() []byte {
	// The only error left is about lone surrogates, and they are replaced.
	text, _ := jsontext.AppendUnquote(make([]byte, 0, len(p.raw)), p.raw)
	return text
}

// target is a pointer on its way down: what is left of it.
type target struct {
	rest  string
	index int
}

// locator walks once over JSON for many pointers. Its work is bounded by the
// length of the JSON plus that of the pointers, whatever they are.
type locator struct {
	dec   *jsontext.Decoder
	visit func(place) error
}

// locate finds the values that valid pointers name and calls visit for each of
// them, in the order in which they end. Pointers that lead nowhere are not
// visited.
func locate(data []byte, pointers []string, visit func(place) error) error {
	targets := make([]target, len(pointers))
	for i, p := range pointers {
		targets[i] = target{rest: p, index: i}
	}
	l := locator{
		dec:   jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowInvalidUTF8(true)),
		visit: visit,
	}
	return l.value(targets)
}

// value walks over the value that comes next.
func (l *locator) value(targets []target) error {
	var named []int
	deeper := targets[:0]
	for _, t := range targets {
		if t.rest == "" {
			named = append(named, t.index)
		} else {
			deeper = append(deeper, t)
		}
	}
	kind := l.dec.PeekKind()
	here := place{kind: kind, named: named}
	var err error
	switch {
	case kind == '"':
		here.raw, err = l.dec.ReadValue()
		here.from = int(l.dec.InputOffset()) - len(here.raw)
	case kind == '{' && len(deeper) > 0:
		err = l.object(deeper)
	case kind == '[' && len(deeper) > 0:
		err = l.array(deeper)
	default:
		err = l.dec.SkipValue()
	}
	if err != nil {
		return jsonError(err)
	}
	if len(named) == 0 {
		return nil
	}
	return l.visit(here)
}

func (l *locator) object(targets []target) error {
	if _, err := l.dec.ReadToken(); err != nil {
		return jsonError(err)
	}
	byToken := group(targets)
	for l.dec.PeekKind() == '"' {
		name, err := l.dec.ReadToken()
		if err != nil {
			return jsonError(err)
		}
		if err := l.child(byToken[name.String()]); err != nil {
			return err
		}
	}
	_, err := l.dec.ReadToken()
	return err
}

func (l *locator) array(targets []target) error {
	if _, err := l.dec.ReadToken(); err != nil {
		return jsonError(err)
	}
	byToken := group(targets)
	var digits [20]byte
	for i := int64(0); ; i++ {
		if kind := l.dec.PeekKind(); kind == ']' || kind == 0 {
			break
		}
		if err := l.child(byToken[string(strconv.AppendInt(digits[:0], i, 10))]); err != nil {
			return err
		}
	}
	_, err := l.dec.ReadToken()
	return err
}

func (l *locator) child(targets []target) error {
	if len(targets) > 0 {
		return l.value(targets)
	}
	return jsonError(l.dec.SkipValue())
}

// group sorts targets by their next token.
func group(targets []target) map[string][]target {
	byToken := make(map[string][]target, len(targets))
	for _, t := range targets {
		token, rest := cutToken(t.rest)
		byToken[token] = append(byToken[token], target{rest: rest, index: t.index})
	}
	return byToken
}

// jsonError replaces an error of the decoder, which may quote content.
func jsonError(err error) error {
	syntactic := new(jsontext.SyntacticError)
	if errors.As(err, &syntactic) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNotJSON
	}
	return err
}
