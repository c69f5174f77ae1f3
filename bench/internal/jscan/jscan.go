// Package jscan locates values inside JSON text without decoding it.
//
// It is deliberately lenient: it matches brackets and string quotes but does
// not validate the grammar in between. That is enough to pull an id or one
// result field out of a message at memory speed, and it keeps the harness's own
// cost well below that of the programs it measures.
package jscan

import (
	"bytes"
	"encoding/json"
	"errors"
)

// ErrSyntax reports text that cannot be walked as JSON.
var ErrSyntax = errors.New("jscan: malformed JSON")

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func skipSpace(b []byte, i int) int {
	for i < len(b) && space(b[i]) {
		i++
	}
	return i
}

// skipString takes the index of an opening quote and returns the index after
// the closing one, or -1.
func skipString(b []byte, i int) int {
	i++
	for {
		q := bytes.IndexByte(b[i:], '"')
		if q < 0 {
			return -1
		}
		// The quote is escaped when an odd number of backslashes precede it.
		j := i + q
		k := j - 1
		for k >= i && b[k] == '\\' {
			k--
		}
		if (j-1-k)%2 == 0 {
			return j + 1
		}
		i = j + 1
	}
}

// Skip returns the index just after the value that begins at or after i, or -1.
func Skip(b []byte, i int) int {
	i = skipSpace(b, i)
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				if i = skipString(b, i); i < 0 {
					return -1
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	case '}', ']', ',', ':':
		return -1
	}
	start := i
	for i < len(b) && !space(b[i]) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] != ':' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// Object calls f with each member's raw key (without quotes, escapes left as
// they are) and raw value. It stops early when f returns false.
func Object(b []byte, f func(key, val []byte) bool) error {
	return members(b, func([]byte, []byte) bool { return true }, f)
}

// Members calls f with each member's raw key and the text from the beginning of
// its value on, before it looks for the end of the value. Stopping at the
// wanted member therefore costs nothing for what follows.
func Members(b []byte, f func(key, rest []byte) bool) error {
	return members(b, f, func([]byte, []byte) bool { return true })
}

func members(b []byte, pre, post func(key, val []byte) bool) error {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return ErrSyntax
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == '}' {
		return nil
	}
	for {
		i = skipSpace(b, i)
		if i >= len(b) || b[i] != '"' {
			return ErrSyntax
		}
		end := skipString(b, i)
		if end < 0 {
			return ErrSyntax
		}
		key := b[i+1 : end-1]
		i = skipSpace(b, end)
		if i >= len(b) || b[i] != ':' {
			return ErrSyntax
		}
		start := skipSpace(b, i+1)
		if !pre(key, b[start:]) {
			return nil
		}
		if i = Skip(b, start); i < 0 {
			return ErrSyntax
		}
		if !post(key, b[start:i]) {
			return nil
		}
		i = skipSpace(b, i)
		if i >= len(b) {
			return ErrSyntax
		}
		if b[i] == '}' {
			return nil
		}
		if b[i] != ',' {
			return ErrSyntax
		}
		i++
	}
}

// Array calls f with each raw element. It stops early when f returns false.
func Array(b []byte, f func(val []byte) bool) error {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return ErrSyntax
	}
	i = skipSpace(b, i+1)
	if i < len(b) && b[i] == ']' {
		return nil
	}
	for {
		start := skipSpace(b, i)
		if i = Skip(b, start); i < 0 {
			return ErrSyntax
		}
		if !f(b[start:i]) {
			return nil
		}
		i = skipSpace(b, i)
		if i >= len(b) {
			return ErrSyntax
		}
		if b[i] == ']' {
			return nil
		}
		if b[i] != ',' {
			return ErrSyntax
		}
		i++
	}
}

// First returns the text from the first element of an array on, or nil.
func First(b []byte) []byte {
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '[' {
		return nil
	}
	i = skipSpace(b, i+1)
	if i >= len(b) || b[i] == ']' {
		return nil
	}
	return b[i:]
}

// Get follows object keys and returns the raw value, or nil.
func Get(b []byte, path ...string) []byte {
	for _, p := range path {
		var found []byte
		if Object(b, func(k, v []byte) bool {
			if string(k) == p {
				found = v
				return false
			}
			return true
		}) != nil || found == nil {
			return nil
		}
		b = found
	}
	return b
}

// String decodes a raw JSON string value; ok is false when b is not one.
func String(b []byte) (s string, ok bool) {
	if len(b) < 2 || b[0] != '"' || b[len(b)-1] != '"' {
		return "", false
	}
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b[1 : len(b)-1]), true
	}
	return s, json.Unmarshal(b, &s) == nil
}
