package argument

import (
	"regexp"
	"strings"
	"sync"
)

// maxPlain is the length up to which Plain reads a value: nobody writes a host
// or an identifier that is longer.
const maxPlain = 4 << 10

// A shell or a database does not see what these match, or sees a space.
var (
	sqlVersioned = lazy(`(?s)/\*!\d{0,6}(.{0,200}?)\*/`)
	sqlComment   = lazy(`(?s)/\*.{0,200}?\*/`)
	shellSpace   = lazy(`(?i)\$\{IFS[^}]{0,12}\}|\$IFS(?:\$\d)?|%(?:09|0b)|\t`)
	shellBraces  = lazy(`\{([\w./~-]{1,40}),([\w./~,-]{1,80})\}`)
	shellSplice  = lazy(`(\w)(?:''|""|\\|\^|\$@|\$\*|` + "``" + `)(\w)`)
	shellQuoted  = lazy(`(\w)(?:'(\w{1,3})'|"(\w{1,3})")`)
	shellLeading = lazy(`(^|[\s;|&(/])(?:'(\w{1,12})'|"(\w{1,12})"|\\)(\w)`)
	spaces       = lazy(`[ \t\r\f\v]{2,}`)
)

func lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// Plain returns text as a shell or a database would read it: comments inside
// SQL, ${IFS}, braces, and quotes and backslashes inside words undone. It returns
// text itself, when that changes nothing or text is too long to be a value.
func Plain(text string) string {
	if len(text) > maxPlain {
		return text
	}
	plain := Decode(text)
	if strings.Contains(plain, "/*") {
		plain = sqlVersioned().ReplaceAllString(plain, " $1 ")
		plain = sqlComment().ReplaceAllString(plain, " ")
	}
	if strings.ContainsAny(plain, "$%\t") {
		plain = shellSpace().ReplaceAllString(plain, " ")
	}
	if strings.Contains(plain, ",") && strings.Contains(plain, "{") {
		plain = shellBraces().ReplaceAllStringFunc(plain, func(s string) string {
			return strings.ReplaceAll(s[1:len(s)-1], ",", " ")
		})
	}
	if strings.ContainsAny(plain, "'\"\\^`$") {
		plain = shellSplice().ReplaceAllString(plain, "$1$2")
		plain = shellQuoted().ReplaceAllString(plain, "$1$2$3")
		plain = shellLeading().ReplaceAllString(plain, "$1$2$3$4")
	}
	if strings.Contains(plain, "  ") {
		plain = spaces().ReplaceAllString(plain, " ")
	}
	return plain
}
