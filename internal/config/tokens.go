package config

import (
	"regexp"
	"sync"
)

// minToken is the length from which on a given token is not guessed at once;
// maxToken what a header takes without trouble.
const (
	minToken = 16
	maxToken = 1024
)

var (
	principalPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`) })
	// What may stand in an Authorization header: RFC 6750, section 2.1.
	tokenPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) })
)

// givenTokens reads the tokens that the file gives.
func givenTokens() value[HTTP] {
	return value[HTTP]{
		label: "object of strings",
		schema: map[string]any{
			"type":                 "object",
			"additionalProperties": orVariable(map[string]any{"type": "string", "minLength": minToken, "maxLength": maxToken}),
			"propertyNames":        map[string]any{"pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"},
		},
		read: func(r *reader, n *node, dst *HTTP) {
			if !r.is(n, objectKind) {
				return
			}
			dst.Tokens = make(map[string]string, len(n.members))
			owner := map[string]string{}
			for _, m := range n.members {
				token := m.value.text
				switch {
				case !principalPattern().MatchString(m.name):
					r.notes.problem(m.key, "use up to 64 lower-case letters, digits, dots, - and _", "this cannot be the name of a token")
				case !r.is(m.value, stringKind):
				case len(token) < minToken || len(token) > maxToken:
					r.notes.problem(m.value, "relay token add makes one that cannot be guessed",
						"a token has from %d to %d characters", minToken, maxToken)
				case !tokenPattern().MatchString(token):
					r.notes.problem(m.value, "use letters, digits and - . _ ~ + / and = at the end",
						"this cannot stand in an Authorization header")
				case owner[token] != "":
					r.notes.problem(m.value, "give each name a token of its own", "this token is also that of %s", owner[token])
				default:
					if !m.value.expanded {
						r.notes.warn(m.value, "put it into the environment and write ${NAME}", "a token stands in the file itself")
					}
					owner[token], dst.Tokens[m.name] = m.name, token
				}
			}
		},
	}
}
