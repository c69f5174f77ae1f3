package registry

import (
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// reach is what the literal beginning of a URI template matches.
type reach struct {
	prefix string
	// border is what must follow the prefix where the text ends; zero: anything.
	border byte
	whole  bool // there is no expression: the prefix is all
	routed bool
}

func (c *reach) matches(uri string) bool {
	if !strings.HasPrefix(uri, c.prefix) {
		return false
	}
	rest := uri[len(c.prefix):]
	switch {
	case rest == "":
		return true
	case c.whole:
		return false
	default:
		return c.border == 0 || rest[0] == c.border
	}
}

// reach returns what a URI template reaches. One that does not fix a scheme and
// a whole first segment would take other servers' URIs and is not routed,
// unless there is no other server.
func (r *Registry) reach(template string) reach {
	prefix, expression, open := strings.Cut(template, "{")
	c := reach{prefix: prefix, whole: !open}
	if open && expression != "" && strings.IndexByte("/?#;", expression[0]) >= 0 {
		c.border = expression[0] // RFC 6570 section 3.2: the expansion begins with it
	}
	if len(r.order) == 1 {
		c.routed = true
		return c
	}
	scheme, rest, ok := strings.Cut(prefix, ":")
	segment := strings.TrimLeft(rest, "/")
	end := strings.IndexAny(segment, "/?#;:")
	whole := end > 0 || end < 0 && segment != "" && (!open || c.border != 0)
	c.routed = ok && scheme != "" && whole
	return c
}

// maxEscapes is how many times over a URI may be percent-encoded until nobody
// decodes it any more.
const maxEscapes = 4

// canonical returns one form of a URI for all the spellings that a server could
// take for the same. It is for comparing only: it also equates what some
// servers tell apart.
func canonical(uri string) string {
	for range maxEscapes {
		decoded := unescape(uri)
		if decoded == uri {
			break
		}
		uri = decoded
	}
	uri = fold(norm.NFKC.String(uri))
	uri = strings.ReplaceAll(uri, `\`, "/")
	scheme, rest, _ := strings.Cut(uri, ":")
	authority := ""
	if strings.HasPrefix(rest, "//") {
		authority, rest = rest[2:], ""
		if i := strings.IndexAny(authority, "/?#"); i >= 0 {
			authority, rest = authority[:i], authority[i:]
		}
	}
	// The path without its dots; what follows it may have slashes of its own.
	tail := ""
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest, tail = rest[:i], rest[i:]
	}
	return scheme + "://" + authority + path.Clean("/"+rest) + tail
}

// spellings returns the canonical form of a URI, also without its fragment and
// its query, which a server may not look at.
func spellings(uri string) []string {
	full := canonical(uri)
	all := []string{full}
	for _, mark := range []string{"#", "?"} {
		if cut, _, ok := strings.Cut(all[len(all)-1], mark); ok {
			all = append(all, cut)
		}
	}
	return all
}

// unescape decodes percent-encoding and leaves what is none.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high < 16 && low < 16 {
				out = append(out, high<<4|low)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	default:
		return 16
	}
}
