package guard

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
)

// groups writes each byte of s by format, with between between them.
func groups(s, format, between string) string {
	parts := make([]string, len(s))
	for i := range len(s) {
		parts[i] = fmt.Sprintf(format, s[i])
	}
	return strings.Join(parts, between)
}

// shifted moves every letter of s.
func shifted(s string, by rune) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a' + (r-'a'+by)%26
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+by)%26
		default:
			return r
		}
	}, s)
}

func zipped(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(s))
	if w.Close() != nil || err != nil {
		panic("memory does not fail")
	}
	return b.Bytes()
}

func deflated(s string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write([]byte(s))
	if w.Close() != nil || err != nil {
		panic("memory does not fail")
	}
	return b.Bytes()
}

// encoders are ways to write an order that a model may read all the same.
var encoders = []struct {
	name   string
	encode func(s string) string
}{
	{"base64", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base64 without padding", func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) }},
	{"base64url", func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }},
	{"base64 in lines", func(s string) string {
		e := base64.StdEncoding.EncodeToString([]byte(s + " " + s))
		return e[:76] + "\n" + e[76:152] + "\n" + e[152:]
	}},
	{"base64 of UTF-16", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(marked(s, "\x00"))) }},
	{"base64 twice", func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(s))))
	}},
	{"base64 of hex", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString([]byte(s)))) }},
	{"base64 of gzip", func(s string) string { return base64.StdEncoding.EncodeToString(zipped(s)) }},
	{"base64 of zlib", func(s string) string { return base64.StdEncoding.EncodeToString(deflated(s)) }},
	{"hex of gzip", func(s string) string { return hex.EncodeToString(zipped(s)) }},
	{"base64 of rot13", func(s string) string { return base64.StdEncoding.EncodeToString([]byte(shifted(s, 13))) }},
	{"base64 backwards", func(s string) string { return backwards(base64.StdEncoding.EncodeToString([]byte(s))) }},
	{"data address", func(s string) string { return "data:text/plain;base64," + base64.StdEncoding.EncodeToString([]byte(s)) }},
	{"base32", func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) }},
	{"base32 small", func(s string) string { return strings.ToLower(base32.StdEncoding.EncodeToString([]byte(s))) }},
	{"ascii85", func(s string) string {
		b := make([]byte, ascii85.MaxEncodedLen(len(s)))
		return "<~" + string(b[:ascii85.Encode(b, []byte(s))]) + "~>"
	}},
	{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }},
	{"hex capitals", func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }},
	{"hex with spaces", func(s string) string { return groups(s, "%02x", " ") }},
	{"hex with colons", func(s string) string { return groups(s, "%02X", ":") }},
	{"hex with 0x", func(s string) string { return groups(s, "0x%02x", ", ") }},
	{"hex escapes", func(s string) string { return groups(s, `\x%02x`, "") }},
	{"unicode escapes", func(s string) string { return groups(s, `\u%04x`, "") }},
	{"unicode escapes in braces", func(s string) string { return groups(s, `\u{%x}`, "") }},
	{"octal escapes", func(s string) string { return groups(s, `\%03o`, "") }},
	{"octal with spaces", func(s string) string { return groups(s, "%03o", " ") }},
	{"decimal", func(s string) string { return groups(s, "%d", " ") }},
	{"decimal with commas", func(s string) string { return "[" + groups(s, "%d", ", ") + "]" }},
	{"binary", func(s string) string { return groups(s, "%08b", " ") }},
	{"binary without spaces", func(s string) string { return groups(s, "%08b", "") }},
	{"binary of seven", func(s string) string { return groups(s, "%07b", " ") }},
	{"percent", func(s string) string { return groups(s, "%%%02X", "") }},
	{"percent twice", func(s string) string { return groups(s, "%%25%02X", "") }},
	{"entities", func(s string) string { return groups(s, "&#%d;", "") }},
	{"entities in hex", func(s string) string { return groups(s, "&#x%x;", "") }},
	{"quoted printable", func(s string) string { return groups(s, "=%02X", "") }},
	{"quoted printable words", func(s string) string {
		var b strings.Builder
		w := quotedprintable.NewWriter(&b)
		if _, err := w.Write([]byte(s)); err != nil || w.Close() != nil {
			panic("memory does not fail")
		}
		return b.String()
	}},
	{"uu", func(s string) string {
		s = s[:min(45, len(s))]
		s += strings.Repeat(" ", 45-len(s))
		var b strings.Builder
		b.WriteString("begin 644 note.txt\nM")
		for i := 0; i < 45; i += 3 {
			n := int(s[i])<<16 | int(s[i+1])<<8 | int(s[i+2])
			for shift := 18; shift >= 0; shift -= 6 {
				b.WriteByte(byte(n>>shift&63) + 32)
			}
		}
		return b.String() + "\n`\nend\n"
	}},
	{"rot13", func(s string) string { return shifted(s, 13) }},
	{"shift of 3", func(s string) string { return shifted(s, 3) }},
	{"shift of 7", func(s string) string { return shifted(s, 7) }},
	{"shift of 19", func(s string) string { return shifted(s, 19) }},
	{"atbash", func(s string) string {
		return strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z':
				return 'z' - (r - 'a')
			case r >= 'A' && r <= 'Z':
				return 'Z' - (r - 'A')
			default:
				return r
			}
		}, s)
	}},
	{"rot47", func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 33 && r <= 126 {
				return 33 + (r-33+47)%94
			}
			return r
		}, s)
	}},
	{"backwards", backwards},
	{"words backwards", func(s string) string {
		words := strings.Fields(s)
		for i := range words {
			words[i] = backwards(words[i])
		}
		return strings.Join(words, " ")
	}},
	{"spaced", func(s string) string { return strings.TrimSpace(marked(s, " ")) }},
	{"dashed", func(s string) string { return strings.TrimSpace(marked(s, "-")) }},
	{"leet", func(s string) string {
		return strings.NewReplacer("a", "4", "e", "3", "i", "1", "o", "0", "s", "5", "t", "7").Replace(s)
	}},
	{"morse", func(s string) string {
		var words []string
		for w := range strings.FieldsSeq(strings.ToUpper(s)) {
			var signs []string
			for _, r := range w {
				if i := strings.IndexRune(morseLetters, r); i >= 0 {
					signs = append(signs, strings.Fields(morseSigns)[i])
				}
			}
			words = append(words, strings.Join(signs, " "))
		}
		return strings.Join(words, " / ")
	}},
	{"numbers of letters", func(s string) string {
		var words []string
		for w := range strings.FieldsSeq(strings.ToLower(s)) {
			var numbers []string
			for _, r := range w {
				if r >= 'a' && r <= 'z' {
					numbers = append(numbers, fmt.Sprint(r-'a'+1))
				}
			}
			words = append(words, strings.Join(numbers, "-"))
		}
		return strings.Join(words, " ")
	}},
}

// encodingFixtures encodes the orders that are found when they are plain: what the
// others lack are rules, not views.
func encodingFixtures(t *testing.T) []fixture {
	t.Helper()
	d := newDice(8)
	e := testEngine(t)
	plain := slices.DeleteFunc(slices.Clone(orders), func(s string) bool { return !detects(t, e, s, []string{""}) })
	if len(plain) < 4 {
		t.Fatalf("%d of %d orders are found in plain text", len(plain), len(orders))
	}
	var all []fixture
	for _, c := range encoders {
		for n := range 4 {
			text := fmt.Sprintf(pick(d, []string{"%s", "Result: %s", "# Notes\n\n%s\n\nBring the report.", "comment = \"%s\""}), c.encode(plain[(n+len(c.name))%len(plain)]))
			all = append(all, fixture{fmt.Sprintf("%s %d", c.name, n), text})
		}
	}
	return all
}

func TestEncodedOrdersAreFound(t *testing.T) {
	detection(t, encodingFixtures(t), 0.97, "")
}
