package guard

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of decoding, in bytes and in views per piece of text.
const (
	minEncoded  = 24
	maxEncoded  = pieceSize
	maxDecoded  = 256
	minReadable = 4
	// minPrintable is the length from which signs and digits alone are readable.
	minPrintable = 16
)

// readable reports whether s is text that a person could have written.
func readable(s string) bool {
	if len(s) < minReadable || !utf8.ValidString(s) {
		return false
	}
	letters, others := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r), r == ' ':
			letters++
		case unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r':
			return false
		default:
			others++
		}
	}
	// Bytes that are no text are hardly all printable when they are many.
	return letters > others || len(s) >= minPrintable && ascii(s)
}

// tagPayload reads tag characters as the ASCII they mirror.
func tagPayload(runes []rune) string {
	var b strings.Builder
	for _, r := range runes {
		if hiddenClass(r) == tagRune && r > 0xe001f && r < cancelTag {
			b.WriteByte(byte(r - 0xe0000))
		}
	}
	return b.String()
}

// variationPayload reads variation selectors as the 256 bytes they number.
func variationPayload(runes []rune) string {
	raw := make([]byte, 0, len(runes))
	for _, r := range runes {
		switch {
		case r >= 0xfe00 && r <= 0xfe0f:
			raw = append(raw, byte(r-0xfe00))
		case r >= 0xe0100 && r <= 0xe01ef:
			raw = append(raw, byte(r-0xe0100+16))
		}
	}
	if s := string(raw); readable(s) {
		return s
	}
	return ""
}

// binaryPayload reads two kinds of zero-width characters as the bits of text.
// Which kind is one, and whether seven or eight make a character, is tried.
func binaryPayload(runes []rune) string {
	counts := map[rune]int{}
	for _, r := range runes {
		counts[r]++
	}
	var zero, one rune
	for r, n := range counts {
		switch {
		case n > counts[zero] || n == counts[zero] && r < zero:
			zero, one = r, zero
		case n > counts[one] || n == counts[one] && r < one:
			one = r
		}
	}
	for _, width := range []int{8, 7} {
		for _, high := range []rune{one, zero} {
			if s := bits(runes, zero, one, high, width); readable(s) {
				return s
			}
		}
	}
	return ""
}

func bits(runes []rune, zero, one, high rune, width int) string {
	var out []byte
	value, n := 0, 0
	for _, r := range runes {
		if r != zero && r != one {
			value, n = 0, 0 // a third character separates
			continue
		}
		value <<= 1
		if r == high {
			value |= 1
		}
		if n++; n == width {
			out = append(out, byte(value))
			value, n = 0, 0
		}
	}
	return string(out)
}

// decoded returns the views of text that is readable text in an encoding, and
// whether some was left out.
func decoded(text string) (views []view, cut bool) {
	for _, read := range decoders {
		more, left := read(text)
		views, cut = append(views, more...), cut || left
	}
	if len(views) > maxDecoded {
		return views[:maxDecoded], true
	}
	return views, cut
}

// decoders return the views of one kind of encodings each, up to maxDecoded, and
// whether there was more.
var decoders = [...]func(text string) (views []view, cut bool){encodedWords, numeralText, deciphered, morse, mailed}

// encodedWords returns the views of words that are base64 and its like, and
// whether some was left out.
func encodedWords(text string) (views []view, cut bool) {
	for start := 0; ; {
		at := encodedBytes.run(text, start, minEncoded)
		if at.start == at.end {
			break
		}
		end := encodedEnd(text, at.start)
		at.end, start = end, end
		plain, via, ok := decode(text[at.start:min(end, at.start+maxEncoded)])
		if !ok {
			continue
		}
		if len(views) == maxDecoded {
			return views, true
		}
		cut = cut || end-at.start > maxEncoded || len(plain) == maxUnpacked
		views = append(views, view{text: plain, via: via, whole: &at})
	}
	return views, cut
}

// encodedLine is the length from which a line of encoded text goes on in the
// next: the shortest that encoders fold at.
const encodedLine = 60

// encodedEnd returns where the encoded text that begins at start ends, over
// the line breaks that encoders put in.
func encodedEnd(text string, start int) int {
	end, line := start, start
	for end < len(text) {
		switch {
		case encodedByte(text[end]):
		case text[end] == '\n' && end-line >= encodedLine && text[end-1] != '=' && encodedLineAt(text, end+1):
			line = end + 1
		default:
			return end
		}
		end++
	}
	return end
}

// encodedLineAt reports whether the line that begins at start is encoded text
// and nothing else: prose that follows is none.
func encodedLineAt(text string, start int) bool {
	end := start
	for end < len(text) && encodedByte(text[end]) {
		end++
	}
	return end > start && (end == len(text) || text[end] != ' ' && text[end] != ',' && text[end] != '.')
}

// encodedByte reports whether c is in the alphabet of either base64 variant.
func encodedByte(c byte) bool { return encodedBytes.has(c) }

// decode reads s as hexadecimal, base64 or base32, when that gives readable text.
func decode(s string) (plain, via string, ok bool) {
	s = strings.ReplaceAll(s, "\n", "")
	if raw, err := hex.DecodeString(s); err == nil {
		if plain, ok = unpacked(raw); ok {
			return plain, "hex", true
		}
	}
	s = strings.TrimRight(s, "=")
	if plain, ok = base64Text(s); ok {
		return plain, "base64", true
	}
	if upper := strings.ToUpper(s); strings.Trim(upper, base32Letters) == "" {
		kept := upper[:len(upper)/8*8+keptBits[len(upper)%8]]
		if raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(kept); err == nil && readable(string(raw)) {
			return string(raw), "base32", true
		}
	}
	if len(s) < maxBackwards {
		if plain, ok = base64Text(strings.TrimRight(backwards(s), "=")); ok && english(plain) {
			return plain, "base64, reversed", true
		}
	}
	return "", "", false
}

// maxBackwards bounds what is tried from its end, in bytes.
const maxBackwards = 4 << 10

const base32Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// base64Text returns the text that s, without padding, is in either base64.
func base64Text(s string) (string, bool) {
	s = s[:len(s)/4*4+keptTail[len(s)%4]]
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	raw, err := encoding.DecodeString(s)
	if err != nil {
		return "", false
	}
	return unpacked(raw)
}

// maxUnpacked bounds what compressed bytes become, in bytes.
const maxUnpacked = 64 << 10

// unpacked returns the text that raw is: in UTF-8, in UTF-16, or compressed.
func unpacked(raw []byte) (string, bool) {
	if plain, ok := legible(raw); ok {
		return plain, true
	}
	if len(raw) < minPacked {
		return "", false
	}
	var r io.Reader
	var err error
	switch {
	case raw[0] == 0x1f && raw[1] == 0x8b:
		r, err = gzip.NewReader(bytes.NewReader(raw))
	case raw[0] == 0x78 && (raw[1] == 0x01 || raw[1] == 0x5e || raw[1] == 0x9c || raw[1] == 0xda):
		r, err = zlib.NewReader(bytes.NewReader(raw))
	case raw[1] == 0 && raw[3] == 0, raw[0] == 0 && raw[2] == 0:
		s := strings.ReplaceAll(string(raw), "\x00", "")
		return s, 2*len(s) <= len(raw)+2 && readable(s)
	default:
		return "", false
	}
	if err != nil {
		return "", false
	}
	// A torn stream has text in it as well.
	plain, _ := io.ReadAll(io.LimitReader(r, maxUnpacked))
	return legible(plain)
}

// legible returns the text that raw is, with blanks for the few bytes in it that
// are none: one of them must not hide all others.
func legible(raw []byte) (string, bool) {
	s := string(raw)
	if readable(s) {
		return s, true
	}
	if len(s) < minMarred {
		return "", false
	}
	marred := 0
	plain := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' {
			marred++
			return ' '
		}
		return r
	}, s)
	return plain, marred*marredShare <= len(s) && readable(plain)
}

// How long text is in which bytes may be that are no text, and the share of it
// that they must be below: bytes that stand for something else have far more.
const (
	minMarred   = 32
	marredShare = 16
)

// minPacked is the length of the shortest compressed or wide text, in bytes.
const minPacked = 16

// keptBits is how many characters of an incomplete group of eight carry bytes.
var keptBits = [8]int{0, 0, 2, 2, 4, 5, 5, 7}

// keptTail is how many characters of an incomplete group of four carry bytes.
var keptTail = [4]int{0, 0, 2, 3}
