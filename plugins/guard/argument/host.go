package argument

import "strings"

// metacharacters have no place in the name or address of a host, and a meaning
// in a shell, a template or a query.
const metacharacters = ";|&`$<>(){}'\"\\\n\r\x00!^*"

// OddHost reports whether text, which a host, an address or a domain is expected
// in, goes on with something else. It returns where that starts.
func OddHost(text string) (int, bool) {
	text = strings.TrimRight(text, " ")
	if strings.Contains(text, "://") || strings.HasPrefix(text, "*.") {
		return 0, false
	}
	end := strings.IndexFunc(text, func(r rune) bool { return !hostRune(r) })
	if strings.HasPrefix(text, "-") && len(text) > 2 && strings.ContainsAny(text, "=") {
		return 0, true // an option
	}
	if end >= 0 {
		rest := text[end:]
		switch {
		case strings.ContainsAny(rest, metacharacters) && (end == 0 || likeHost(text[:end])):
			return end, true
		case likeHost(text[:end]) && (rest[0] == ' ' || rest[0] == '/') && program(rest):
			return end, true
		}
	}
	// An address that runs into a word.
	if n := addressPrefix(text); n > 0 && n < len(text) && letter(text[n]) && strings.ContainsAny(text[n:], " /") {
		return n, true
	}
	return 0, false
}

// program reports whether rest, what follows a host, begins with a program's
// path or has a file of the system as its argument.
func program(rest string) bool {
	for _, p := range [...]string{"/bin/", "/usr/", "/sbin/", "/etc/", "/proc/", "/tmp/", "/dev/"} {
		if strings.Contains(rest, p) {
			return true
		}
	}
	return false
}

// hostRune reports whether r occurs in names, addresses, ports, zones, ranges and
// lists of them.
func hostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		r >= 0x80 || strings.ContainsRune(".-_:[]@,%", r)
}

// likeHost reports whether s can be the name of a machine rather than a word
// of a sentence.
func likeHost(s string) bool {
	return strings.ContainsAny(s, ".:0123456789") || s == "localhost" || len(s) < 3
}

// addressPrefix returns the length of the IPv4 address or of localhost that s
// begins with.
func addressPrefix(s string) int {
	if strings.HasPrefix(s, "localhost") {
		return len("localhost")
	}
	dots, digits := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && digits > 0 && digits <= 3 && dots < 3:
			dots, digits = dots+1, 0
		default:
			if dots == 3 && digits > 0 && digits <= 3 {
				return i
			}
			return 0
		}
	}
	return 0
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
