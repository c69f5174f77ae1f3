package panscanner

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// shortBinary is how much unrecognised binary data is sent as it came, so
	// that words spelt in base64 letters are still seen.
	shortBinary = 4 << 10
	// textShare is the part of characters that must be readable for data to
	// count as text: one bad byte must not hide a page of instructions.
	textShare   = 0.85
	unknownType = "application/octet-stream"
)

// binary is what is sent in place of encoded data.
type binary struct {
	text   string
	reason string // why it was not inspected; empty when text is all of it
}

// decodeBinary looks at a string that is declared to hold binary data, either
// base64 or a data: URI. What turns out to be readable is sent as text whatever
// its label says. It reports false when the string is to be sent as it is.
func decodeBinary(s string) (binary, bool) {
	prefix, encoded := "", s
	if isDataURI(s) {
		head, rest, ok := strings.Cut(s, ",")
		if !ok || !strings.HasSuffix(strings.ToLower(head), ";base64") {
			return binary{}, false
		}
		prefix, encoded = head+",", rest
	}
	data, ok := decodeBase64(encoded)
	if !ok || len(data) == 0 {
		return binary{}, false
	}
	out := describe(data)
	if out.reason != "" && len(s) <= shortBinary && strings.HasSuffix(out.reason, unknownType) {
		out.text = s
		return out, true
	}
	out.text = prefix + out.text
	return out, true
}

func isDataURI(s string) bool {
	const scheme = "data:"
	return len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// describe returns data as text if it is text, else its type, size and hash.
// The type is what the first bytes say, not what the sender claims.
func describe(data []byte) binary {
	if readable(data) {
		return binary{text: strings.ToValidUTF8(string(data), "\uFFFD")}
	}
	mime := http.DetectContentType(data)
	if strings.HasPrefix(mime, "text/") {
		mime = unknownType
	}
	sum := sha256.Sum256(data)
	return binary{
		text:   fmt.Sprintf("[%s, %d bytes, sha256 %s]", mime, len(data), hex.EncodeToString(sum[:])),
		reason: "binary data: " + mime,
	}
}

// readable reports whether data is text, perhaps with a few bad bytes in it.
func readable(data []byte) bool {
	good, all := 0, 0
	for rest := data; len(rest) > 0; all++ {
		r, size := utf8.DecodeRune(rest)
		if (r != utf8.RuneError || size > 1) && (unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)) {
			good++
		}
		rest = rest[size:]
	}
	return float64(good) >= textShare*float64(all)
}

// shortestLine is the least average length of lines of base64. Words on lines of
// their own are not base64, even if they could be decoded.
const shortestLine = 32

// decodeBase64 decodes every usual spelling of base64.
func decodeBase64(s string) ([]byte, bool) {
	if lines := strings.Count(s, "\n"); lines > 0 && len(s)/lines < shortestLine {
		return nil, false
	}
	s = strings.TrimRight(strings.Map(func(r rune) rune {
		switch r {
		case '\r', '\n':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		default:
			return r
		}
	}, s), "=")
	data, err := base64.RawStdEncoding.DecodeString(s)
	return data, err == nil
}
