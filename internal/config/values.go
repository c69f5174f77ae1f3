package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// variablePattern is what the schema lets stand in place of any scalar.
const variablePattern = `\$\{`

// orVariable is the schema of a scalar that may also be written ${NAME}.
func orVariable(schema map[string]any) map[string]any {
	return map[string]any{"anyOf": []any{schema, map[string]any{"type": "string", "pattern": variablePattern}}}
}

func text[T any](at func(*T) *string) value[T] {
	return value[T]{
		label:  "string",
		schema: map[string]any{"type": "string"},
		read: func(r *reader, n *node, dst *T) {
			if r.is(n, stringKind) {
				*at(dst) = strings.TrimSpace(n.text)
			}
		},
	}
}

func texts[T any](at func(*T) *[]string) value[T] {
	return value[T]{
		label:  "list of strings",
		schema: map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
		read: func(r *reader, n *node, dst *T) {
			if list, ok := r.strings(n); ok {
				*at(dst) = list
			}
		},
	}
}

// strings reads a list of strings; numbers and booleans keep their text.
func (r *reader) strings(n *node) ([]string, bool) {
	if n.broken {
		return nil, false
	}
	if n.kind != listKind {
		r.notes.problem(n, "write it as [a, b]", "this must be a list of strings, not %s", n.kind)
		return nil, false
	}
	list := make([]string, 0, len(n.items))
	for _, item := range n.items {
		switch {
		case item.broken:
		case item.kind == stringKind, item.kind == numberKind, item.kind == boolKind:
			list = append(list, item.text)
		default:
			r.notes.problem(item, "", "this must be a string, not %s", item.kind)
		}
	}
	return list, true
}

func boolean[T any](at func(*T) *bool) value[T] {
	return value[T]{
		label:  "true or false",
		schema: orVariable(map[string]any{"type": "boolean"}),
		read: func(r *reader, n *node, dst *T) {
			if n.broken {
				return
			}
			b, err := strconv.ParseBool(strings.ToLower(n.text))
			if n.kind != boolKind && !n.expanded || err != nil {
				r.notes.problem(n, "write true or false", "this must be true or false, not %s", n.shown())
				return
			}
			*at(dst) = b
		},
	}
}

func integer[T any](low, high int, at func(*T) *int) value[T] {
	return value[T]{
		label:  fmt.Sprintf("number, %d to %d", low, high),
		schema: orVariable(map[string]any{"type": "integer", "minimum": low, "maximum": high}),
		read: func(r *reader, n *node, dst *T) {
			if i, ok := r.number(n, low, high); ok {
				*at(dst) = i
			}
		},
	}
}

func (r *reader) number(n *node, low, high int) (int, bool) {
	if n.broken {
		return 0, false
	}
	i, err := strconv.Atoi(strings.TrimSpace(n.text))
	if n.kind != numberKind && !n.expanded || err != nil || i < low || i > high {
		r.notes.problem(n, "", "this must be a whole number from %d to %d, not %s", low, high, n.shown())
		return 0, false
	}
	return i, true
}

func duration[T any](low, high time.Duration, at func(*T) *time.Duration) value[T] {
	return value[T]{
		label: fmt.Sprintf("duration, %s to %s", short(low), short(high)),
		schema: map[string]any{"anyOf": []any{
			map[string]any{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)|\$\{`},
			map[string]any{"const": 0},
		}},
		read: func(r *reader, n *node, dst *T) {
			if n.broken {
				return
			}
			d, err := time.ParseDuration(strings.TrimSpace(n.text))
			switch {
			case n.kind == numberKind && n.text != "0", n.kind != stringKind && n.kind != numberKind, err != nil:
				r.notes.problem(n, "write a number with a unit, for example 500ms, 5s or 2m", "this must be a duration, not %s", n.shown())
			case d < low || d > high:
				r.notes.problem(n, "", "this must be from %s to %s, not %s", short(low), short(high), n.shown())
			default:
				*at(dst) = d
			}
		},
	}
}

// short renders a duration without the zero units that String appends.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// sizeUnits are the units of a size in bytes, longest suffix first.
var sizeUnits = []struct {
	suffix string
	factor int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1000}, {"MB", 1000_000}, {"B", 1}, {"", 1}}

func size[T any](low, high int, at func(*T) *int) value[T] {
	return value[T]{
		label: fmt.Sprintf("size, %d KiB to %d MiB", low>>10, high>>20),
		schema: map[string]any{"anyOf": []any{
			map[string]any{"type": "integer", "minimum": low, "maximum": high},
			map[string]any{"type": "string", "pattern": `^[0-9]+ ?(KiB|MiB|GiB|KB|MB|B)?$|\$\{`},
		}},
		read: func(r *reader, n *node, dst *T) {
			if n.broken {
				return
			}
			bytes, ok := parseSize(strings.TrimSpace(n.text))
			switch {
			case n.kind != stringKind && n.kind != numberKind, !ok:
				r.notes.problem(n, "write bytes, or a number with KiB or MiB", "this must be a size, not %s", n.shown())
			case bytes < low || bytes > high:
				r.notes.problem(n, "", "this must be from %d KiB to %d MiB, not %s", low>>10, high>>20, n.shown())
			default:
				*at(dst) = bytes
			}
		},
	}
}

func parseSize(s string) (int, bool) {
	for _, unit := range sizeUnits {
		if number, ok := strings.CutSuffix(s, unit.suffix); ok {
			n, err := strconv.Atoi(strings.TrimSpace(number))
			return n * unit.factor, err == nil && n >= 0 && n <= math.MaxInt32/unit.factor
		}
	}
	return 0, false
}

func choice[T any](at func(*T) *string, options ...string) value[T] {
	return value[T]{
		label:  strings.Join(options, ", "),
		schema: orVariable(map[string]any{"enum": options}),
		read: func(r *reader, n *node, dst *T) {
			switch {
			case n.broken:
			case n.kind != stringKind || !slices.Contains(options, n.text):
				r.notes.problem(n, "use "+oneOf(options), "unknown value %s", n.shown())
			default:
				*at(dst) = n.text
			}
		},
	}
}

// oneOf renders a, b or c.
func oneOf(options []string) string {
	if len(options) < 2 {
		return strings.Join(options, "")
	}
	last := len(options) - 1
	return strings.Join(options[:last], ", ") + " or " + options[last]
}

func phases[T any](at func(*T) *[]verdict.Phase) value[T] {
	var all []string
	for _, p := range verdict.Phases {
		all = append(all, p.String())
	}
	return value[T]{
		label:  "list of phases",
		schema: map[string]any{"type": "array", "uniqueItems": true, "items": orVariable(map[string]any{"enum": all})},
		read: func(r *reader, n *node, dst *T) {
			list, ok := r.strings(n)
			if !ok {
				return
			}
			found := make([]verdict.Phase, 0, len(list))
			for i, name := range list {
				p, err := verdict.ParsePhase(name)
				if err != nil {
					r.notes.problem(n.item(i), didYouMean(name, all, "use "+oneOf(all)), "unknown phase %s", n.item(i).shown())
				} else if !slices.Contains(found, p) {
					found = append(found, p)
				}
			}
			*at(dst) = found
		},
	}
}
