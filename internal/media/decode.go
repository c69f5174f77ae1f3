package media

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// encoded is what a part holds, as it travels.
type encoded struct {
	bytes   []byte // of the decoded JSON string
	percent bool   // percent-encoded, else base64
}

// contents is what a part holds.
type contents struct {
	ok   bool // it could be decoded
	size int
	head []byte // how it begins
	text []byte
	kind Kind // Text or Other
}

// headSize is how much of a part is looked at to know its format.
const headSize = 64

// chunk is how many characters are decoded at a time. It is a multiple of 4.
const chunk = 32 << 10

func (e encoded) decode() contents {
	if e.percent {
		b := unescapePercent(e.bytes)
		return read(b, len(b))
	}
	return decodeBase64(e.bytes)
}

// read tells what bytes are that lie in memory as a whole.
func read(b []byte, size int) contents {
	c := contents{ok: true, size: size, head: b[:min(headSize, len(b))], kind: Other}
	if text, ok := textOf(b); ok {
		c.text, c.kind = text, Text
	}
	return c
}

// decodeBase64 reads base64 as RFC 4648 has it, with or without padding. Lines
// may be broken. What readers decode differently (another alphabet, padding in the
// middle, other characters) is not decoded at all. Only what may still be a text is
// kept.
func decodeBase64(b []byte) contents {
	if bytes.ContainsAny(b, "\r\n") {
		b = slices.DeleteFunc(slices.Clone(b), func(c byte) bool { return c == '\r' || c == '\n' })
	}
	if len(b)%4 == 0 {
		b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("=")), []byte("="))
	}
	size := base64.RawStdEncoding.DecodedLen(len(b))
	whole := make([]byte, 0, min(size, chunk))
	var buf []byte // what is only checked
	binary := false
	for len(b) > 0 {
		n := min(chunk, len(b))
		if !binary {
			whole = slices.Grow(whole, base64.RawStdEncoding.DecodedLen(n))
			buf = whole[len(whole):cap(whole)]
		}
		got, err := base64.RawStdEncoding.Decode(buf, b[:n])
		if err != nil {
			return contents{kind: Other}
		}
		b = b[n:]
		if binary {
			continue
		}
		whole = whole[:len(whole)+got]
		// UTF-16 is full of zeros; it is looked at as a whole.
		if binary = hasBinary(whole[len(whole)-got:]) && !marked16(whole); binary {
			buf = make([]byte, base64.RawStdEncoding.DecodedLen(chunk))
		}
	}
	if binary {
		return contents{ok: true, size: size, head: whole[:min(headSize, len(whole))], kind: Other}
	}
	return read(whole, size)
}

func marked16(b []byte) bool {
	return bytes.HasPrefix(b, []byte(bom16LE)) || bytes.HasPrefix(b, []byte(bom16BE))
}

// unescapePercent decodes percent-encoding. What is no escape stands for itself,
// as in every URL parser.
func unescapePercent(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) {
			var c [1]byte
			if _, err := hex.Decode(c[:], b[i+1:i+3]); err == nil {
				out = append(out, c[0])
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
}

// dataURI takes a data: URI apart, as RFC 2397 has it and browsers read it: space
// around it and line breaks in it do not count, nor does case.
func dataURI(s []byte) (declared string, e encoded, ok bool) {
	s = bytes.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if bytes.ContainsAny(s, "\t\r\n") {
		s = slices.DeleteFunc(slices.Clone(s), func(c byte) bool { return c == '\t' || c == '\r' || c == '\n' })
	}
	const scheme = "data:"
	if len(s) < len(scheme) || !bytes.EqualFold(s[:len(scheme)], []byte(scheme)) {
		return "", encoded{}, false
	}
	head, body, _ := bytes.Cut(s[len(scheme):], []byte(","))
	label := string(head)
	e = encoded{bytes: body, percent: true}
	if i := strings.LastIndexByte(label, ';'); i >= 0 && strings.EqualFold(strings.TrimSpace(label[i+1:]), "base64") {
		e = encoded{bytes: unescapePercent(body)}
		label = label[:i]
	}
	if declared = mediaType(label); declared == "" {
		declared = "text/plain"
	}
	return declared, e, true
}
