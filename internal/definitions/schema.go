package definitions

import (
	"math/big"
	"reflect"
	"slices"
)

// compareSchemas returns the classes of what changed between two JSON Schemas;
// none, when nothing did. What cannot be shown to ask for less is taken to ask for
// more. It looks at each part once: a schema may be very deep.
func compareSchemas(old, now any) Classes {
	a, ok := old.(map[string]any)
	b, alsoOK := now.(map[string]any)
	if !ok || !alsoOK {
		return unless(reflect.DeepEqual(old, now), Schema)
	}
	var c Classes
	for key := range both(a, b) {
		before, had := a[key]
		after, has := b[key]
		ch := change{before, after, had, has}
		if compare := subschemas(key); compare != nil {
			c |= compare(ch, closed(a) && closed(b))
		} else if had != has || !reflect.DeepEqual(before, after) {
			c |= compareKeyword(key, ch)
		}
	}
	return c
}

// subschemas returns what compares a keyword that holds schemas; nil: it holds
// none. Its second argument says that neither schema around takes properties that
// it does not name.
func subschemas(key string) func(ch change, only bool) Classes {
	switch key {
	case "properties":
		return compareProperties
	case "additionalProperties", "unevaluatedProperties", "additionalItems", "unevaluatedItems":
		return compareRest
	case "items", "contains", "propertyNames":
		return compareOne
	case "prefixItems", "allOf", "anyOf", "oneOf":
		return compareList
	case "patternProperties", "$defs", "definitions", "dependentSchemas":
		return compareMap
	default:
		return nil
	}
}

// unless returns classes when something does not hold.
func unless(it bool, c Classes) Classes {
	if it {
		return 0
	}
	return c
}

// change is a member of an object, before and after.
type change struct {
	before, after any
	had, has      bool
}

// compareKeyword returns the classes of a change of a keyword that holds no
// schema.
func compareKeyword(key string, ch change) Classes {
	switch key {
	case "title", "description", "$comment":
		return textual(ch)
	case "default", "const", "example", "examples":
		return Default
	case "enum":
		return Default | widerEnum(ch)
	case "type":
		return narrower(ch.had && ch.has && subtypes(ch.before, ch.after))
	default:
		return compareBound(key, ch)
	}
}

// compareBound returns the classes of a change of a keyword that says what a
// value may be like.
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

// compareOne compares two schemas that stand at one place.
func compareOne(ch change, _ bool) Classes {
	if !ch.had || !ch.has {
		return Schema
	}
	return compareSchemas(ch.before, ch.after)
}

// compareRest compares what is taken besides what is named.
func compareRest(ch change, _ bool) Classes {
	if ch.has && is(ch.after, false) {
		return unless(is(ch.before, false), Wording)
	}
	return compareOne(ch, false)
}

// closed reports whether a schema takes no properties but those that it names.
func closed(schema map[string]any) bool {
	return is(schema["additionalProperties"], false) && schema["patternProperties"] == nil
}

// compareProperties compares the properties of two schemas. One that is gone
// was asked for before, and is not taken any more where nothing else is.
func compareProperties(ch change, only bool) Classes {
	a, ok := ch.before.(map[string]any)
	b, alsoOK := ch.after.(map[string]any)
	if ch.had && !ok || ch.has && !alsoOK {
		return unless(reflect.DeepEqual(ch.before, ch.after), Schema)
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
			c |= narrower(only)
		}
	}
	return c
}

func compareMap(ch change, _ bool) Classes {
	a, ok := ch.before.(map[string]any)
	b, alsoOK := ch.after.(map[string]any)
	if !ok || !alsoOK {
		return unless(reflect.DeepEqual(ch.before, ch.after), Schema)
	}
	if len(a) != len(b) {
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

func compareList(ch change, _ bool) Classes {
	a, ok := ch.before.([]any)
	b, alsoOK := ch.after.([]any)
	if !ok || !alsoOK {
		return unless(reflect.DeepEqual(ch.before, ch.after), Schema)
	}
	if len(a) != len(b) {
		return Schema
	}
	var c Classes
	for i := range a {
		c |= compareSchemas(a[i], b[i])
	}
	return c
}

// maxValues bounds the values of which each is looked for among others.
const maxValues = 500

// widerEnum returns Schema when an enum has values that it did not have, or is
// there no more.
func widerEnum(ch change) Classes {
	a, ok := ch.before.([]any)
	b, alsoOK := ch.after.([]any)
	switch {
	case !ch.had && alsoOK:
		return 0
	case !ok || !alsoOK || len(a) > maxValues || len(b) > maxValues:
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
	if len(a) > maxValues || len(b) > maxValues {
		return false
	}
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
