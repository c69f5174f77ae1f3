package guard

import (
	"encoding/base64"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// fillers are what documentation writes instead of a secret, in lower case.
var fillers = [...]string{
	"example", "sample", "your", "placeholder", "changeme", "change_me", "change-me", "replace", "redact", "dummy", "insert",
	"xxxx", "****", "....", "<", ">", "${", "{{", "todo", "process.env", "os.environ", "getenv", "env.", "secrets.", "vault:", "arn:aws",
	"undefined", "required", "optional", "varchar", "string", "...", "…",
}

// placeholder reports whether s stands for a secret without being one.
func placeholder(s string) bool {
	lower := strings.ToLower(s)
	for _, word := range fillers {
		if strings.Contains(lower, word) {
			// A long row of capital X is how test data is written, and has a form.
			return word != "xxxx" || strings.Contains(s, "xxxx")
		}
	}
	return false
}

// stand are whole values that are words for a secret, not secrets.
var stand = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(?:(?:my|the|test|super|some|db|user|root|admin|new|old|no|is|has|top|very)?[_.-]?){0,3}(?:` +
		`pass(?:word|wd|phrase)?|secret|pwd|token|key|pw|credentials?|value|null|none|nil|true|false|` +
		`bcrypt|base64|sha-?\d+|md5|argon2id?|pbkdf2|scrypt|utf-?8|oauth2?|oidc|x509|rs256|hs256|es256|http2?|` +
		`(?:int|uint|char|text|field|param|type|str|input|prompt|arg|var)\d*)[_.-]?\d{0,4}[!?.]?$`)
})

// code are values that a program computes, or refers to.
var code = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:[$%@!&*/~.\\<{(\[#-]|https?:|file:|arn:|urn:|env:|ENC\[|` +
		`[A-Za-z_]\w*(?:\.|->|::)[A-Za-z_][\w.>:-]*$|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$|` +
		`[a-z]+(?:[_-][a-z]+)*[_-]?\d?$|[a-z]+(?:[A-Z][a-z]+)+\d?$|\d{4}-\d\d-\d\d|v?\d+(?:\.\d+)+|\d+$)`)
})

// looksPassword reports whether s can be a password that somebody chose: no
// placeholder, no word of a language or a schema, no reference.
func looksPassword(s string) bool {
	if len(s) < 6 || entropy(s) < 2.2 || placeholder(s) || stand().MatchString(s) {
		return false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r > 0x2000 }) {
		return false // bullets and other typography
	}
	if code().MatchString(s) && !chosen(s) && !random(s) {
		return false
	}
	letters, others := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsLetter(r):
			letters++
		case !strings.ContainsRune("._-:/()[]=,;", r):
			others++
		}
	}
	return letters > 0 && others > 0 || len(s) >= 12 && letters == len(s) && random(s)
}

// chosen reports whether a value that looks like code has what people put into
// passwords: digits after a word, or a sign before one with digits.
func chosen(s string) bool {
	if strings.ContainsAny(s, "./<>{}()[]") || strings.ToUpper(s) == s {
		return false
	}
	if strings.ContainsAny(s[:1], "$%@!&*#~") {
		return len(s) > 7 && strings.ContainsAny(s, "0123456789")
	}
	return len(s)-len(strings.TrimRight(s, "0123456789")) >= 2
}

// looksSecret is for places where a password is expected whatever it looks
// like, such as an address.
func looksSecret(s string) bool {
	if len(s) < 4 || strings.ContainsAny(s[:1], "<>{}[]$%*") && !chosen(s) || placeholder(s) || stand().MatchString(s) {
		return false
	}
	same := strings.Count(s, s[:1]) == len(s)
	return !same && strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune("._-", r) })
}

// Shapes of tokens.
const (
	minSecretToken = 14
	maxWordLength  = 3.3 // the mean length of the words that a random token falls into
)

var uuid = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
})

// looksToken reports whether s was made by a machine to be secret: it has no
// words in it and is no reference, path, date or placeholder.
func looksToken(s string) bool {
	if len(s) < minSecretToken || placeholder(s) || strings.Contains(s, "://") ||
		strings.ContainsAny(s[:1], "/.$%@&<{-") && !strings.HasPrefix(s, "$2") || entropy(s) < 2.6 {
		return false
	}
	if uuid().MatchString(s) {
		return !strings.HasPrefix(s, "123e4567") && entropy(s) > 3
	}
	if dot := strings.LastIndexByte(s, '.'); dot > 0 && len(s)-dot <= 5 && strings.Count(s, ".") == 1 {
		return false // the name of a file
	}
	return random(s)
}

// looksOpaque is looksToken for names of which numbers are often public.
func looksOpaque(s string) bool {
	return len(s) >= 24 && looksToken(s) && !uuid().MatchString(s)
}

// random reports whether s falls into so short words as only chance makes.
func random(s string) bool {
	words, digits, upper, lower := wordCount(s)
	letters := upper + lower
	if letters == 0 || words == 0 {
		return false
	}
	if digits == 0 && (upper == 0 || lower == 0) {
		return len(s) >= 20 && unpronounceable(s)
	}
	if len(s) >= 24 && digits > 0 && strings.Trim(s, "0123456789abcdef") == "" {
		return letters > 2 && digits > 2
	}
	if mean := float64(letters+digits) / float64(words); mean > maxWordLength {
		return (digits > 0 || len(s) >= 16) && mean < 2*maxWordLength && unpronounceable(s)
	}
	return digits > 1 || unpronounceable(s)
}

// wordCount counts digits and letters, and the words they form: runs of digits,
// and of letters with at most one change of case.
func wordCount(s string) (words, digits, upper, lower int) {
	last := byte(0)
	for i := range len(s) {
		kind := byte(0)
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			kind = 'd'
			digits++
		case c >= 'a' && c <= 'z':
			kind = 'l'
			lower++
		case c >= 'A' && c <= 'Z':
			kind = 'u'
			upper++
		}
		if kind != 0 && kind != last && (kind != 'l' || last != 'u') {
			words++
		}
		last = kind
	}
	return words, digits, upper, lower
}

// unpronounceable reports whether the letters of s do not follow each other as
// they do in words: most pairs in words have one vowel.
func unpronounceable(s string) bool {
	pairs, rare := 0, 0
	const vowels = "aeiouyAEIOUY"
	for i := 1; i < len(s); i++ {
		a, b := s[i-1], s[i]
		if !asciiLetter(a) || !asciiLetter(b) {
			continue
		}
		pairs++
		av, bv := strings.IndexByte(vowels, a) >= 0, strings.IndexByte(vowels, b) >= 0
		if av == bv && !strings.Contains(commonPairs, strings.ToLower(s[i-1:i+1])) {
			rare++
		}
	}
	return pairs >= 4 && 3*rare > pairs
}

// commonPairs are the pairs of two vowels or two consonants that words have.
const commonPairs = "th st nd nt ng er ll ss tt ch sh ck ou ea ee oo io ai ie rs rt ns ts ct pr tr pl bl cl cr br gr fr " +
	"sp sc ay ey oy uy ya ye yo ue ui au rd rk rn rm ld lt mp nc nk ff pp rr cc dd mm nn gg"

func asciiLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isCredential reports whether s is base64 of a user and a password, as basic
// authentication sends them, or a token.
func isCredential(s string) bool {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return looksToken(s)
	}
	user, password, ok := strings.Cut(string(raw), ":")
	return ok && user != "" && password != "" && utf8.Valid(raw) && !placeholder(string(raw)) || looksToken(s)
}
