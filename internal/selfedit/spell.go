package selfedit

import (
	"encoding/hex"
	"slices"
	"strings"
)

// speller undoes the ways to write a path.
type speller struct {
	home      string
	user      string // the last element of home
	variables map[string]string
}

func newSpeller(o *Options) speller {
	s := speller{home: o.Home, variables: map[string]string{}}
	for name, value := range o.Variables {
		s.variables[strings.ToUpper(name)] = value
	}
	if o.Home != "" {
		for _, name := range []string{"HOME", "USERPROFILE"} {
			if s.variables[name] == "" {
				s.variables[name] = o.Home
			}
		}
		home := slashes(o.Home)
		s.user = home[strings.LastIndexByte(home, '/')+1:]
	}
	return s
}

// maxDecodings is how often percent-encoding is undone.
const maxDecodings = 4

// How many readings a string has; those of a long one take memory.
const (
	maxReadings     = 32
	maxLongReadings = 6
	longText        = 16 << 10
)

// variants returns the readings of a string: first itself, then those that
// somebody may get who decodes it.
func (s *speller) variants(text string) []string {
	list := []string{text}
	limit := maxReadings
	if len(text) > longText {
		limit = maxLongReadings
	}
	add := func(v string) {
		if len(list) == limit {
			return
		}
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	for v, n := text, 0; n < maxDecodings && strings.IndexByte(v, '%') >= 0; n++ {
		if v = percentDecoded(v); v == list[len(list)-1] {
			break
		}
		add(v)
	}
	for _, v := range slices.Clip(list) {
		if strings.ContainsAny(v, "$%") {
			add(s.expanded(v))
		}
	}
	for _, v := range slices.Clip(list) {
		if strings.IndexByte(v, '{') >= 0 {
			add(withoutBraces(v))
		}
	}
	for _, v := range slices.Clip(list) {
		if strings.IndexByte(v, '\\') >= 0 {
			add(strings.ReplaceAll(v, `\`, "/"))
		}
		if strings.ContainsAny(v, "\\\"'`^") {
			add(unquote.Replace(v))
		}
	}
	return list
}

// unquote undoes the quoting of shells inside of words.
var unquote = strings.NewReplacer(`\`, "", `"`, "", `'`, "", "`", "", "^", "")

// percentDecoded undoes percent-encoding once; what is none stays.
func percentDecoded(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i+2 < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		var c [1]byte
		if _, err := hex.Decode(c[:], []byte(s[i+1:i+3])); err != nil {
			continue
		}
		b.WriteString(s[from:i])
		b.WriteByte(c[0])
		i += 2
		from = i + 1
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// expanded puts the values of variables in the place of $NAME, ${NAME},
// $env:NAME and %NAME%.
func (s *speller) expanded(text string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '$' && text[i] != '%' {
			continue
		}
		if value, size := s.variable(text[i:]); size > 0 {
			b.WriteString(text[from:i])
			b.WriteString(value)
			i += size - 1
			from = i + 1
		}
	}
	if from == 0 {
		return text
	}
	b.WriteString(text[from:])
	return b.String()
}

// variable returns the value of the variable that text begins with, and how many
// bytes its spelling has; 0: none that is known.
func (s *speller) variable(text string) (value string, size int) {
	const longest = 64
	rest := text[1:min(len(text), longest)]
	if text[0] == '%' {
		name, _, closed := strings.Cut(rest, "%")
		if value = s.variables[strings.ToUpper(name)]; value == "" || !closed {
			return "", 0
		}
		return value, len(name) + len("%%")
	}
	braced := strings.HasPrefix(rest, "{")
	if braced {
		rest = rest[1:]
	}
	prefix := 0
	if len(rest) >= len("env:") && strings.EqualFold(rest[:len("env:")], "env:") {
		prefix = len("env:")
	}
	n := prefix
	for n < len(rest) && (rest[n] == '_' || rest[n] >= '0' && rest[n] <= '9' || rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
		n++
	}
	value, ok := s.variables[strings.ToUpper(rest[prefix:n])]
	if !ok {
		return "", 0
	}
	if !braced {
		return value, len("$") + n
	}
	// What stands between the name and the brace (:-other) is left out.
	end := strings.IndexByte(rest, '}')
	if end < n {
		return "", 0
	}
	return value, len("${}") + end
}

// withoutBraces puts a star in the place of each {…}, of which a shell makes
// several words.
func withoutBraces(s string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '{' {
			continue
		}
		end := strings.IndexAny(s[i+1:], "{}/")
		if end < 0 || s[i+1+end] != '}' {
			continue
		}
		b.WriteString(s[from:i])
		b.WriteByte('*')
		i += 1 + end
		from = i + 1
	}
	if from == 0 {
		return s
	}
	b.WriteString(s[from:])
	return b.String()
}

// tilde puts the home directory in the place of a leading ~ or ~user.
func (s *speller) tilde(word string) string {
	if s.home == "" || word == "" || word[0] != '~' {
		return word
	}
	name, _, _ := strings.Cut(word[1:], "/")
	switch {
	case name == "" || strings.EqualFold(name, s.user):
		return s.home + word[1+len(name):]
	case name == "+":
		return "." + word[2:]
	default:
		return word
	}
}
