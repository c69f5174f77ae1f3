package guard

import (
	"math"
	"strings"
	"unicode"
)

// checks returns the check that a rule names, or nil.
func checks(name string) func(string) bool {
	switch name {
	case "luhn":
		return luhn
	case "iban":
		return iban
	case "ssn":
		return ssn
	case "secret":
		return looksSecret
	default:
		return nil
	}
}

// luhn reports whether the digits of s are a card number's.
func luhn(s string) bool {
	sum, n := 0, 0
	same := true
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int(s[i] - '0')
		same = same && (n == 0 || s[i] == s[len(s)-1])
		if n%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		n++
	}
	return n >= 13 && n <= 19 && sum%10 == 0 && !same
}

// iban reports whether s is an account number with a right checksum.
func iban(s string) bool {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rest := 0
	for _, c := range s[4:] + s[:4] {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// ssn reports whether s is a US social security number that can exist.
func ssn(s string) bool {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
	return len(digits) == 9 && digits[:3] != "000" && digits[:3] != "666" && digits[0] != '9' &&
		digits[3:5] != "00" && digits[5:] != "0000" && digits != "123456789" && digits != "987654321"
}

// placeholders begin or end what documentation writes instead of a secret.
const placeholders = "<>{}[]$%*"

// looksSecret reports whether s can be a password: not a placeholder, a
// variable, a word of documentation or one repeated character.
func looksSecret(s string) bool {
	if len(s) < 6 || strings.ContainsAny(s[:1]+s[len(s)-1:], placeholders) || entropy(s) < 2.2 {
		return false
	}
	lower := strings.ToLower(s)
	for _, word := range []string{
		"example", "changeme", "change_me", "placeholder", "your", "xxxx", "****", "redact", "dummy",
		"password", "passwd", "secret", "process.env", "os.environ", "getenv", "string", "null", "none",
		"true", "false", "undefined", "required", "optional", "hidden", "varchar",
	} {
		if strings.Contains(lower, word) {
			return false
		}
	}
	// Names of variables and members have letters and joints only.
	return strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune("._-", r) })
}

// entropy returns the Shannon entropy of the bytes of s, in bits per byte.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
