package oauth

import (
	"slices"
	"strings"
)

// challenge is what a server said with 401 or 403 (RFC 6750, section 3;
// RFC 9728, section 5.1).
type challenge struct {
	metadata string   // address of the protected resource metadata
	scopes   []string // needed for what was asked
	fault    string   // the error code
}

const (
	maxChallenge = 8 << 10 // bytes of all headers
	maxScopes    = 64
	maxScope     = 256 // bytes
)

// parseChallenge reads the Bearer challenge of WWW-Authenticate headers. What
// is malformed ends the reading; what was read before it counts.
func parseChallenge(headers []string) challenge {
	var c challenge
	budget := maxChallenge
	for _, h := range headers {
		if budget -= len(h); budget < 0 {
			break
		}
		readChallenges(h, func(scheme, name, value string) {
			if scheme != "bearer" {
				return
			}
			switch {
			case name == "resource_metadata" && c.metadata == "":
				c.metadata = value
			case name == "scope" && c.scopes == nil:
				c.scopes = scopesOf(value)
			case name == "error" && c.fault == "":
				c.fault = value
			}
		})
	}
	return c
}

// readChallenges calls param with every parameter of a header (RFC 9110,
// section 11.6.1). Scheme and name are in lower case.
func readChallenges(header string, param func(scheme, name, value string)) {
	scheme, rest := "", header
	for {
		rest = strings.TrimLeft(rest, " \t,")
		token, after := cutToken(rest)
		if token == "" {
			return
		}
		value, isParam := strings.CutPrefix(strings.TrimLeft(after, " \t"), "=")
		if !isParam || scheme == "" {
			scheme, rest = strings.ToLower(token), after
			continue
		}
		var ok bool
		var text string
		if text, rest, ok = cutValue(strings.TrimLeft(value, " \t")); !ok {
			return
		}
		param(scheme, strings.ToLower(token), text)
	}
}

func cutToken(s string) (token, rest string) {
	end := strings.IndexFunc(s, func(r rune) bool {
		return !isAlphanumeric(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:]
}

// cutValue reads a token or a quoted string.
func cutValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t,")
		if end < 0 {
			end = len(s)
		}
		return s[:end], s[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// scopesOf splits a list of scopes (RFC 6749, section 3.3) and leaves out what
// is none.
func scopesOf(text string) []string {
	list := []string{}
	for s := range strings.FieldsSeq(text) {
		if len(list) < maxScopes && isScope(s) && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

func isScope(s string) bool {
	return s != "" && len(s) <= maxScope && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r > '~' || r == '"' || r == '\\'
	})
}

// union appends the scopes of more that are not there yet.
func union(scopes []string, more ...string) []string {
	scopes = slices.Clone(scopes)
	for _, s := range more {
		if len(scopes) < maxScopes && isScope(s) && !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}
