package jsonrpc

import (
	"bytes"
	"strconv"
)

// ID is the id of a request. It is comparable and usable as a map key: 1 and
// "1" differ, and so do 1 and 1.0, because a number keeps its bytes. A string
// keeps its value: two spellings of it ("a" and "\u0061") are one ID. The zero
// ID is no id.
type ID struct{ raw string }

// IntID returns the number n as an ID.
func IntID(n int64) ID { return ID{raw: strconv.FormatInt(n, 10)} }

// StringID returns the string s as an ID.
func StringID(s string) ID { return ID{raw: string(AppendString(nil, s))} }

// ParseID reads an ID from raw JSON. It reports false for anything but one
// string or number.
func ParseID(raw []byte) (ID, bool) {
	if len(raw) == 0 || (raw[0] != '"' && raw[0] != '-' && !isDigit(raw[0])) {
		return ID{}, false
	}
	if Validate(raw, nil) != nil {
		return ID{}, false
	}
	return idOf(bytes.TrimRight(raw, " \t\r\n")), true
}

// idOf makes the ID of a raw string or number that is known to be valid.
func idOf(raw []byte) ID {
	if raw[0] == '"' && bytes.IndexByte(raw, '\\') >= 0 {
		// A lone surrogate has no value that could be spelled otherwise: such
		// an id keeps its bytes, so that two of them do not become one.
		if text, lone := unescape(nil, raw[1:len(raw)-1]); !lone {
			return ID{raw: string(appendQuoted(nil, text))}
		}
	}
	return ID{raw: string(raw)}
}

// Raw returns the ID as JSON, or "" for the zero ID.
func (id ID) Raw() string { return id.raw }

// IsZero reports whether id is no id.
func (id ID) IsZero() bool { return id.raw == "" }

func isDigit(c byte) bool { return c-'0' < 10 }
