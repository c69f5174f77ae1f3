package guard

import "math"

// checks returns the check that a rule names, or nil.
func checks(name string) func(string) bool {
	switch name {
	case "password":
		return looksPassword
	case "secret":
		return looksSecret
	case "token":
		return looksToken
	case "opaque":
		return looksOpaque
	case "credential":
		return isCredential
	default:
		return identity(name)
	}
}

// machineMade reports whether what passes the check has a digit in a long word,
// as a search for it may require.
func machineMade(check string) bool {
	return check == "token" || check == "opaque" || check == "credential"
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
