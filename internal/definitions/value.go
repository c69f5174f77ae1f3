package definitions

import (
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// number is a JSON number as it is written.
type number string

// parse returns a JSON value as maps, slices, strings, numbers, booleans and
// nil. What a reader could take in two ways is an error.
func parse(text string) (any, error) {
	dec := jsontext.NewDecoder(strings.NewReader(text))
	value, err := read(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return value, nil
}

func read(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err //nolint:wrapcheck // nobody is told why: it is then a change of every class
	}
	switch token.Kind() {
	case '{':
		object := map[string]any{}
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err //nolint:wrapcheck // as above
			}
			key := name.String()
			if object[key], err = read(dec); err != nil {
				return nil, err
			}
		}
		_, err := dec.ReadToken()
		return object, err //nolint:wrapcheck // as above
	case '[':
		array := []any{}
		for dec.PeekKind() != ']' {
			element, err := read(dec)
			if err != nil {
				return nil, err
			}
			array = append(array, element)
		}
		_, err := dec.ReadToken()
		return array, err //nolint:wrapcheck // as above
	case '"':
		return token.String(), nil
	case '0':
		return number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	default:
		return nil, nil //nolint:nilnil // JSON's null
	}
}

// words returns all strings of a value, its members' names included, each on a
// line.
func words(value any) string {
	var b strings.Builder
	gather(&b, value)
	return b.String()
}

func gather(b *strings.Builder, value any) {
	switch v := value.(type) {
	case string:
		b.WriteString(v)
		b.WriteByte('\n')
	case []any:
		for _, element := range v {
			gather(b, element)
		}
	case map[string]any:
		for name, element := range v {
			b.WriteString(name)
			b.WriteByte('\n')
			gather(b, element)
		}
	}
}
