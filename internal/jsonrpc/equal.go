package jsonrpc

import "bytes"

// Equal reports whether two valid JSON values mean the same: members of objects
// may stand in another order, and strings may be escaped in another way.
// Numbers are equal when they are written alike. Objects must not have two
// members of one name, which Parse sees to.
func Equal(a, b []byte) bool {
	a, b = bytes.TrimSpace(a), bytes.TrimSpace(b)
	if bytes.Equal(a, b) {
		return true
	}
	if len(a) == 0 || len(b) == 0 || a[0] != b[0] {
		return false
	}
	switch a[0] {
	case '{':
		n := 0
		for name, value := range Members(a) {
			other, ok := Member(b, name)
			if !ok || !Equal(value, other) {
				return false
			}
			n++
		}
		for range Members(b) {
			n--
		}
		return n == 0
	case '[':
		var rest [][]byte
		for e := range Elements(b) {
			rest = append(rest, e)
		}
		for e := range Elements(a) {
			if len(rest) == 0 || !Equal(e, rest[0]) {
				return false
			}
			rest = rest[1:]
		}
		return len(rest) == 0
	case '"':
		x, okx := Unquote(a)
		y, oky := Unquote(b)
		return okx && oky && x == y
	default:
		return false
	}
}
