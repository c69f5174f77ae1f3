package definitions

import (
	"strings"
	"unicode"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/registry"
)

// named reports whether a definition of the kind that is back under another
// name is the same to people. A resource is what its URI says.
func (k Kind) named() bool { return k == kindOf(registry.Tools) || k == kindOf(registry.Prompts) }

// maxLikened is how many pairs of definitions are compared for likeness at a
// time. Beyond, only what is the same but for its name is found.
const maxLikened = 20_000

// likeness is what is compared of a definition to find it under another name.
type likeness struct {
	rest   string // all but the name
	schema string
	words  map[string]bool // of the description
}

func likenessOf(kind Kind, text string) likeness {
	raw := []byte(text)
	l := likeness{rest: string(jsonrpc.DeleteMember(raw, kind.key())), words: map[string]bool{}}
	schema := "inputSchema"
	if kind == kindOf(registry.Prompts) {
		schema = "arguments"
	}
	if value, ok := jsonrpc.Member(raw, schema); ok {
		l.schema = string(value)
	}
	for word := range strings.FieldsSeq(strings.ToLower(jsonrpc.StringMember(raw, "description"))) {
		if l.words[word] = true; len(l.words) >= maxWords {
			break
		}
	}
	return l
}

// Of two descriptions, which part of their words both have, when they are taken
// for one: with the same schema, and with another one.
const (
	alikeWithSchema    = 0.5
	alikeWithoutSchema = 0.8
	fewWords           = 5   // with fewer, words alone say nothing
	maxWords           = 400 // that count
)

// like reports whether two definitions are one under two names.
func (l *likeness) like(other *likeness) bool {
	if l.rest == other.rest {
		return true
	}
	shared := 0
	for word := range l.words {
		if other.words[word] {
			shared++
		}
	}
	all := len(l.words) + len(other.words) - shared
	if all == 0 {
		return false
	}
	part := float64(shared) / float64(all)
	if l.schema == other.schema && l.schema != "" {
		return part >= alikeWithSchema
	}
	return part >= alikeWithoutSchema && shared >= fewWords
}

// vanished finds, for definitions that are not known, those that they were
// before they got another name.
type vanished struct {
	kind    Kind
	texts   map[string]string // by name
	letters map[string]string // names by their letters
	known   map[string]likeness
	rest    map[string]string // the names, by everything else
	likened int
}

// newVanished returns what a server listed of a kind and lists no more.
func newVanished(rec *record, kind Kind, present map[string]bool) *vanished {
	v := &vanished{kind: kind, texts: map[string]string{}}
	if !kind.named() {
		return v
	}
	for i := range rec.Items {
		e := &rec.Items[i]
		if base := e.base(); e.Kind == kind && !present[e.Name] && base != nil && base.Text != "" {
			v.texts[e.Name] = base.Text
		}
	}
	return v
}

// former returns the name and the text that a definition had whose name is new.
// ok is false when it is really new.
func (v *vanished) former(newName, text string) (name, was string, ok bool) {
	if len(v.texts) == 0 || text == "" {
		return "", "", false
	}
	if v.letters == nil {
		v.letters = make(map[string]string, len(v.texts))
		for known := range v.texts {
			letters := lettersOf(known)
			if other, twice := v.letters[letters]; !twice || known < other {
				v.letters[letters] = known
			}
		}
	}
	if letters := lettersOf(newName); letters != "" {
		if name, ok = v.letters[letters]; ok {
			return name, v.texts[name], true
		}
	}
	if v.known == nil {
		v.known, v.rest = make(map[string]likeness, len(v.texts)), make(map[string]string, len(v.texts))
		for name, text := range v.texts {
			l := likenessOf(v.kind, text)
			v.known[name], v.rest[l.rest] = l, name
		}
	}
	now := likenessOf(v.kind, text)
	name, ok = v.rest[now.rest]
	for candidate, l := range v.known {
		if ok || v.likened >= maxLikened {
			break
		}
		v.likened++
		if now.like(&l) {
			name, ok = candidate, true
		}
	}
	return name, v.texts[name], ok
}

// lettersOf returns the letters and digits of a name, in small: what of it people
// and models read.
func lettersOf(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
