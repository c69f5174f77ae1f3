package config

import "strings"

// didYouMean is the hint for an unknown word: the nearest known one, or the
// fallback when none is near.
func didYouMean(word string, known []string, fallback string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return fallback
}

// nearest returns the known word that somebody who wrote word probably meant,
// or "". Words that differ only in case, - and _ are near however long.
func nearest(word string, known []string) string {
	if len(word) > maxQuoted {
		return ""
	}
	best, bestDistance := "", 3
	for _, k := range known {
		if fold(word) == fold(k) {
			return k
		}
		// Short words are near many others: allow one slip in four letters.
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < bestDistance && d <= 1+len(k)/5 && d < len(k)/2+1 {
			best, bestDistance = k, d
		}
	}
	return best
}

// fold maps the spellings of a key to one: apiKey, api-key, API_KEY.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(s))
}

// distance counts insertions, deletions, replacements and swaps of neighbours
// that turn a into b.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
