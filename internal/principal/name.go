package principal

import (
	"errors"
	"strings"
)

// Local is the principal where nobody is asked for a token: the parent of a
// relay on standard input, and every client of a front without authentication.
const Local = "local"

// ErrName is met when something cannot be the name of a token.
var ErrName = errors.New("the name of a token has up to 64 lower-case letters, digits, dots, - and _, and begins with a letter or digit")

const maxName = 64

// ValidName reports whether name can be that of a token:
// [a-z0-9][a-z0-9._-]{0,63}. It is then harmless in logs, file names and
// headers.
func ValidName(name string) bool {
	const first = "abcdefghijklmnopqrstuvwxyz0123456789"
	return name != "" && len(name) <= maxName && strings.Contains(first, name[:1]) && strings.Trim(name, first+"._-") == ""
}
