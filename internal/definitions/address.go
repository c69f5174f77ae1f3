package definitions

import (
	"strings"
	"unicode"

	"golang.org/x/net/publicsuffix"
)

// addresses returns what in a text leads somewhere: URLs, mail addresses, and
// words that are names of hosts. They are cut at the first character that none
// of these has, and are in small letters.
func addresses(text string) map[string]bool {
	found := map[string]bool{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), endsAddress) {
		word = strings.Trim(word, ".,:;!?*_~'")
		if word != "" && isAddress(word) {
			found[word] = true
		}
	}
	return found
}

// endsAddress reports whether no address goes on behind a character.
func endsAddress(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("\"<>()[]{}|\\^`", r)
}

// schemes lead somewhere without two slashes.
var schemes = []string{"mailto:", "data:", "javascript:", "tel:", "sms:", "file:", "blob:", "ssh:", "magnet:"}

func isAddress(word string) bool {
	if strings.Contains(word, "://") || strings.HasPrefix(word, "//") && strings.Contains(word, ".") {
		return true
	}
	for _, scheme := range schemes {
		if strings.HasPrefix(word, scheme) && len(word) > len(scheme) {
			return true
		}
	}
	_, host, mail := strings.Cut(word, "@")
	if !mail {
		host = word
	}
	rest := len(host)
	if i := strings.IndexAny(host, "/:?#"); i >= 0 {
		rest = i
	}
	// A lone word that ends like a file is one: not every README.md is in Moldova.
	return isHost(host[:rest], mail || rest < len(host))
}

// fileEndings are top-level domains that more often end the name of a file.
var fileEndings = map[string]bool{
	"md": true, "py": true, "rs": true, "sh": true, "so": true, "pl": true, "ps": true, "cc": true, "mk": true, "zip": true,
	"mov": true, "java": true, "cpp": true, "ml": true, "do": true, "name": true, "id": true, "is": true, "in": true, "to": true,
}

// isHost reports whether a word is an IPv4 address or a name below a public
// suffix. surely says that what surrounds it leaves no doubt that it means one.
func isHost(word string, surely bool) bool {
	if !strings.Contains(word, ".") {
		return surely && word == "localhost"
	}
	digits := true
	labels := strings.Split(word, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") {
			return false
		}
		for _, r := range label {
			if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				return false
			}
			digits = digits && unicode.IsDigit(r)
		}
	}
	if digits {
		return len(labels) == 4
	}
	last := labels[len(labels)-1]
	if !surely && fileEndings[last] {
		return false
	}
	suffix, managed := publicsuffix.PublicSuffix(word)
	return managed && suffix != word
}

// newAddress reports whether a text has an address that an older one lacks.
func newAddress(old, now string) bool {
	var known map[string]bool
	for address := range addresses(now) {
		if known == nil {
			known = addresses(old)
		}
		if !known[address] {
			return true
		}
	}
	return false
}
