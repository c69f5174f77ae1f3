package definitions

import (
	"iter"
	"reflect"

	"github.com/mcp-relay/relay/internal/registry"
)

// classify returns the classes of what changed between two canonical forms of a
// definition of a kind. There is at least one, unless the forms are the same.
func classify(kind Kind, old, now string) Classes {
	c := compare(kind, old, now)
	if c == 0 && old != now {
		return Annotation // something is different
	}
	return c
}

// compare is classify that leaves out what the definition is known by.
func compare(kind Kind, old, now string) Classes {
	if old == now && old != "" {
		return 0
	}
	if old == "" || now == "" {
		return whole // one of them was too long to keep
	}
	before, err := parse(old)
	if err != nil {
		return whole
	}
	after, err := parse(now)
	if err != nil {
		return whole
	}
	var c Classes
	if newAddress(words(before), words(after)) {
		c |= URL
	}
	a, ok := before.(map[string]any)
	b, alsoOK := after.(map[string]any)
	switch {
	case kind == Instructions:
		c |= Wording
	case !ok || !alsoOK:
		c |= whole
	default:
		c |= compareDefinitions(kind, a, b)
	}
	return c
}

// compareDefinitions compares two definitions of a kind, but for what they are
// known by.
func compareDefinitions(kind Kind, a, b map[string]any) Classes {
	var c Classes
	for key := range both(a, b) {
		before, had := a[key]
		after, has := b[key]
		if key == kind.key() || had == has && reflect.DeepEqual(before, after) {
			continue
		}
		ch := change{before, after, had, has}
		switch {
		case key == "title" || key == "description" || key == "name":
			c |= textual(ch)
		case kind == kindOf(registry.Tools) && (key == "inputSchema" || key == "outputSchema"):
			c |= compareOne(ch, false)
		case kind == kindOf(registry.Prompts) && key == "arguments":
			c |= compareArguments(ch)
		default:
			c |= Annotation
		}
	}
	return c
}

// compareArguments compares the arguments of two prompts.
func compareArguments(ch change) Classes {
	a, ok := argumentsOf(ch.before)
	b, alsoOK := argumentsOf(ch.after)
	if ch.had && !ok || ch.has && !alsoOK {
		return Schema
	}
	c := Wording // the order, at least
	for name, after := range b {
		before, known := a[name]
		if !known {
			c |= Schema
			continue
		}
		for key := range both(before, after) {
			x, had := before[key]
			y, has := after[key]
			switch {
			case had == has && reflect.DeepEqual(x, y):
			case key == "title" || key == "description":
				c |= textual(change{x, y, had, has})
			case key == "required":
				c |= narrower(!has || is(y, false))
			default:
				c |= Annotation
			}
		}
	}
	return c
}

// argumentsOf returns a prompt's arguments by name. ok is false when they are
// not what the protocol says.
func argumentsOf(value any) (arguments map[string]map[string]any, ok bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	arguments = map[string]map[string]any{}
	for _, element := range list {
		argument, ok := element.(map[string]any)
		if !ok {
			return nil, false
		}
		name, ok := argument["name"].(string)
		if _, twice := arguments[name]; !ok || twice {
			return nil, false
		}
		arguments[name] = argument
	}
	return arguments, true
}

// both returns the keys of both maps, each once.
func both[V any](a, b map[string]V) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range a {
			if !yield(key) {
				return
			}
		}
		for key := range b {
			if _, known := a[key]; !known && !yield(key) {
				return
			}
		}
	}
}
