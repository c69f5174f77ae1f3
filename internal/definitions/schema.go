package definitions

import (
	"math/big"
	"reflect"
	"slices"
)

// compareSchemas returns the classes of what changed between two JSON Schemas.
// What cannot be shown to ask for less is taken to ask for more.
func compareSchemas(old, now any) Classes {
	if reflect.DeepEqual(old, now) {
		return 0
	}
	a, ok := old.(map[string]any)
	b, alsoOK := now.(map[string]any)
	if !ok || !alsoOK {
		return Schema
	}
	var c Classes
	for key := range both(a, b) {
		before, had := a[key]
		after, has := b[key]
		if had == has && reflect.DeepEqual(before, after) {
			continue
		}
		c |= compareKeyword(key, change{before, after, had, has}, a, b)
	}
	return c
}

// change is a member of an object, before and after.
type change struct {
	before, after any
	had, has      bool
}

// compareKeyword returns the classes of a change of one keyword of a schema.
func compareKeyword(key string, ch change, old, now map[string]any) Classes {
	switch key {
	case "title", "description", "$comment":
		return textual(ch)
	case "default", "const", "example", "examples":
		return Default
	case "enum":
		return Default | widerEnum(ch)
	case "type":
		return narrower(ch.had && ch.has && subtypes(ch.before, ch.after))
	case "properties":
		return compareProperties(ch, closed(old) && closed(now))
	case "additionalProperties", "unevaluatedProperties", "additionalItems", "unevaluatedItems":
		if ch.has && is(ch.after, false) { // nothing more than what is named
			return Wording
		}
		return recurse(ch)
	case "items", "contains", "propertyNames":
		return recurse(ch)
	case "prefixItems", "allOf", "anyOf", "oneOf":
		return compareList(ch)
	case "patternProperties", "$defs", "definitions", "dependentSchemas":
		return compareMap(ch)
	default:
		return compareBound(key, ch)
	}
}

// compareBound returns the classes of a change of a keyword that holds no
// schema and no value.
func compareBound(key string, ch change) Classes {
	switch key {
	case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties":
		return narrower(ch.has && (!ch.had || less(ch.after, ch.before)))
	case "minimum", "exclusiveMinimum":
		return narrower(ch.has && (!ch.had || less(ch.before, ch.after)))
	case "uniqueItems":
		return narrower(ch.has && is(ch.after, true))
	case "required", "minLength", "minItems", "minProperties", "pattern", "format", "multipleOf", "dependentRequired",
		"not", "if", "then", "else", "minContains", "maxContains", "contentEncoding", "contentMediaType", "contentSchema",
		"$ref", "$dynamicRef", "$recursiveRef", "$id", "id", "$schema", "$anchor", "$dynamicAnchor", "$vocabulary", "dependencies":
		// Some of these make the model say more: a longer text, or one of a form
		// that somebody else chose.
		return Schema
	default:
		return Annotation
	}
}

// is reports whether a value is this boolean.
func is(value any, want bool) bool {
	b, ok := value.(bool)
	return ok && b == want
}

// narrower returns what a change is that asks for less, if it does.
func narrower(it bool) Classes {
	if it {
		return Wording
	}
	return Schema
}

// textual returns the class of a change of a text. What is none says something
// else.
func textual(ch change) Classes {
	_, a := ch.before.(string)
	_, b := ch.after.(string)
	if ch.had && !a || ch.has && !b {
		return Annotation
	}
	return Wording
}

func recurse(ch change) Classes {
	if !ch.had || !ch.has {
		return Schema
	}
	return compareSchemas(ch.before, ch.after)
}

// closed reports whether a schema takes no properties but those that it names.
func closed(schema map[string]any) bool {
	return is(schema["additionalProperties"], false) && schema["patternProperties"] == nil
}

// compareProperties compares the properties of two schemas. One that is gone
// was asked for before, and is not taken any more where nothing else is.
func compareProperties(ch change, closed bool) Classes {
	a, ok := ch.before.(map[string]any)
	b, alsoOK := ch.after.(map[string]any)
	if ch.had && !ok || ch.has && !alsoOK {
		return Schema
	}
	var c Classes
	for name := range both(a, b) {
		before, had := a[name]
		after, has := b[name]
		switch {
		case !had:
			c |= Schema
		case has:
			c |= compareSchemas(before, after)
		default:
			c |= narrower(closed)
		}
	}
	return c
}

func compareMap(ch change) Classes {
	a, ok := ch.before.(map[string]any)
	b, alsoOK := ch.after.(map[string]any)
	if !ok || !alsoOK || len(a) != len(b) {
		return Schema
	}
	var c Classes
	for name, before := range a {
		after, has := b[name]
		if !has {
			return Schema
		}
		c |= compareSchemas(before, after)
	}
	return c
}

func compareList(ch change) Classes {
	a, ok := ch.before.([]any)
	b, alsoOK := ch.after.([]any)
	if !ok || !alsoOK || len(a) != len(b) {
		return Schema
	}
	var c Classes
	for i := range a {
		c |= compareSchemas(a[i], b[i])
	}
	return c
}

// widerEnum returns Schema when an enum has values that it did not have, or is
// there no more.
func widerEnum(ch change) Classes {
	a, ok := ch.before.([]any)
	b, alsoOK := ch.after.([]any)
	switch {
	case !ch.had && alsoOK:
		return 0
	case !ok || !alsoOK:
		return Schema
	}
	for _, value := range b {
		if !slices.ContainsFunc(a, func(known any) bool { return reflect.DeepEqual(known, value) }) {
			return Schema
		}
	}
	return 0
}

// subtypes reports whether all types of after are among those of before.
func subtypes(before, after any) bool {
	a, b := typesOf(before), typesOf(after)
	for _, t := range b {
		if !slices.Contains(a, t) && (t != "integer" || !slices.Contains(a, "number")) {
			return false
		}
	}
	return len(a) > 0 && len(b) > 0
}

func typesOf(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		types := make([]string, 0, len(v))
		for _, element := range v {
			name, ok := element.(string)
			if !ok {
				return nil
			}
			types = append(types, name)
		}
		return types
	default:
		return nil
	}
}

// maxDigits bounds the numbers that are compared: one with an exponent can
// stand for a number that fills the memory.
const maxDigits = 40

// less reports whether a is a smaller number than b.
func less(a, b any) bool {
	x, ok := a.(number)
	y, alsoOK := b.(number)
	if !ok || !alsoOK || len(x) > maxDigits || len(y) > maxDigits {
		return false
	}
	const precision = 256
	p, _, err := big.ParseFloat(string(x), 10, precision, big.ToNearestEven)
	if err != nil {
		return false
	}
	q, _, err := big.ParseFloat(string(y), 10, precision, big.ToNearestEven)
	return err == nil && p.Cmp(q) < 0
}
