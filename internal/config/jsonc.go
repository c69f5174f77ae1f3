package config

import "bytes"

// BlankComments returns a copy of JSON, as MCP clients write it, with comments and
// trailing commas replaced by spaces, so that offsets, and with them line numbers,
// stay right. What is not JSON is left for the parser to refuse.
func BlankComments(data []byte) []byte {
	out := bytes.Clone(data)
	comma := -1 // a comma after which only space has been seen
	for i := 0; i < len(out); {
		switch c := out[i]; {
		case c == '"':
			i = skipString(out, i)
			comma = -1
		case c == '/' && i+1 < len(out) && (out[i+1] == '/' || out[i+1] == '*'):
			i = blankComment(out, i)
		case c == ',':
			comma = i
			i++
		case c == '}' || c == ']':
			if comma >= 0 {
				out[comma] = ' '
			}
			comma = -1
			i++
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		default:
			comma = -1
			i++
		}
	}
	return out
}

// skipString returns the offset behind the string that starts at i.
func skipString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"', '\n':
			return i + 1
		}
	}
	return len(data)
}

// blankComment blanks the comment that starts at i and returns the offset
// behind it. A comment without an end is left, so that the parser reports it.
func blankComment(data []byte, i int) int {
	end := len(data)
	if data[i+1] == '/' {
		if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
			end = i + n
		}
	} else {
		n := bytes.Index(data[i+2:], []byte("*/"))
		if n < 0 {
			return end
		}
		end = i + 2 + n + 2
	}
	for ; i < end; i++ {
		if data[i] != '\n' && data[i] != '\r' {
			data[i] = ' '
		}
	}
	return end
}
