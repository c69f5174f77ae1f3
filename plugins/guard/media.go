package guard

import (
	"encoding/base64"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// labels knows the objects of a content that say of themselves that they carry
// media. It is made when it is first needed.
type labels struct {
	made  bool
	typed map[string]bool // objects with a media type, or of a type that is media
	named map[string]bool // objects with an address
}

func (l *labels) make(c *scanner.Content) {
	l.made, l.typed, l.named = true, map[string]bool{}, map[string]bool{}
	for pointer, text := range c.Strings() {
		object, name := parent(pointer)
		switch {
		case name == "mimeType", name == "type" && (text == "image" || text == "audio"):
			l.typed[object] = true
		case name == "uri":
			l.named[object] = true
		}
	}
}

// parent splits the last token off a pointer.
func parent(pointer string) (object, name string) {
	i := strings.LastIndexByte(pointer, '/')
	return pointer[:max(i, 0)], pointer[i+1:]
}

// media returns what is base64 in a string that carries media: the data of a
// content block, the blob of a resource, a data: address. Elsewhere, a member of
// such a name is what a tool calls something of its own.
func (l *labels) media(c *scanner.Content, pointer, text string) (encoded string, ok bool) {
	object, name := parent(pointer)
	switch {
	case text == "":
		return "", false
	case name == "data" || name == "blob":
		if !l.made {
			l.make(c)
		}
		if l.typed[object] || name == "blob" && (l.named[object] || !freeForm(pointer)) {
			return text, true
		}
	}
	return addressed(text)
}

// freeForm reports whether a pointer leads to what only a tool gives a meaning.
func freeForm(pointer string) bool {
	for _, name := range []string{"/structuredContent/", "/arguments/", "/_meta/"} {
		if strings.Contains(pointer, name) {
			return true
		}
	}
	return false
}

// minBroken is the length from which a value of a tool's own is taken for
// base64 that was broken, in bytes.
const minBroken = 32

// nearlyBase64 reports whether text is base64 but for some characters, so that a
// lenient reader gets more than noise from it.
func nearlyBase64(text string) bool {
	odd := 0
	for i := range len(text) {
		c := text[i]
		if !asciiLetter(c) && (c < '0' || c > '9') && !strings.ContainsRune("+/=-_\r\n", rune(c)) {
			odd++
		}
	}
	return len(text) >= minBroken && odd <= len(text)/16
}

// addressed returns the base64 of a data: address.
func addressed(text string) (encoded string, ok bool) {
	const scheme, suffix = "data:", ";base64"
	text = strings.TrimLeft(text, " \t\r\n")
	if len(text) < len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) {
		return "", false
	}
	head, encoded, ok := strings.Cut(text, ",")
	return encoded, ok && strings.EqualFold(head[max(0, len(head)-len(suffix)):], suffix)
}

// decodedMedia decodes base64 as all readers do: with or without padding, in one
// line or several.
func decodedMedia(encoded string) ([]byte, bool) {
	if strings.ContainsAny(encoded, "\r\n") {
		encoded = strings.NewReplacer("\r", "", "\n", "").Replace(encoded)
	}
	if len(encoded)%4 == 0 {
		encoded = strings.TrimSuffix(strings.TrimSuffix(encoded, "="), "=")
	}
	raw, err := base64.RawStdEncoding.DecodeString(encoded)
	return raw, err == nil
}
