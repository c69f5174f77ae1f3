package audit

import "strings"

// withoutSecrets returns what a record may show of a target: a name as it is, a
// URI without userinfo, query and fragment, and of a data: URI, which is
// content, the scheme only. It keeps no part that a lenient parser could take
// for one of those: everything from the first "?" or "#" goes, and everything
// up to the last "@" of what may be the authority, whatever the slashes.
func withoutSecrets(target string) string {
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	colon := strings.IndexByte(target, ':')
	if colon <= 0 || strings.ContainsAny(target[:colon], `/\@`) {
		return target // no scheme
	}
	scheme, rest := target[:colon+1], target[colon+1:]
	if strings.EqualFold(scheme, "data:") {
		return scheme
	}
	start := len(rest) - len(strings.TrimLeft(rest, `/\`))
	end := len(rest)
	if i := strings.IndexAny(rest[start:], `/\`); i >= 0 {
		end = start + i
	}
	at := strings.LastIndexByte(rest[start:end], '@')
	if at < 0 {
		return target
	}
	return scheme + rest[:start] + rest[start+at+1:]
}

// appendPointer appends a JSON Pointer as a JSON string. Member names are the
// content's own, so only those that look like names are shown; the others
// become "*". Tokens beyond maxPointer are cut.
func appendPointer(dst []byte, pointer string) []byte {
	dst = append(dst, '"')
	rest := strings.TrimPrefix(pointer, "/")
	for n := 0; pointer != ""; n++ {
		if n == maxPointer {
			dst = append(dst, "/..."...)
			break
		}
		token, tail, more := strings.Cut(rest, "/")
		dst = append(dst, '/')
		if looksLikeName(token) {
			dst = append(dst, token...)
		} else {
			dst = append(dst, '*')
		}
		if !more {
			break
		}
		rest = tail
	}
	return append(dst, '"')
}

const (
	maxName   = 32 // bytes of a member name
	maxDigits = 2  // digits in a member name: keys and tokens have more
	maxIndex  = 7  // digits of an array index
)

// looksLikeName tells the member names that people give to things (text,
// inputSchema, max_tokens, $ref) and array indexes from keys that are data: a
// secret, an address, a sentence.
func looksLikeName(token string) bool {
	if token == "" || len(token) > maxName {
		return false
	}
	count := 0
	for i := range len(token) {
		c := token[i]
		switch {
		case c >= 'a' && c <= 'z', c == '_', c == '$':
		case c >= '0' && c <= '9':
			count++
		case i > 0 && (c >= 'A' && c <= 'Z' || c == '-'):
		default:
			return false
		}
	}
	if count == len(token) {
		return count <= maxIndex
	}
	first := token[0]
	return count <= maxDigits && (first < '0' || first > '9')
}
