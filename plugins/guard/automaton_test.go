package guard

import (
	"slices"
	"strings"
	"testing"
)

func TestAutomatonFindsWhatIndexFinds(t *testing.T) {
	words := []string{"he", "she", "his", "hers", "ushers", "s", "e e", "né"}
	a, err := newAutomaton(words)
	if err != nil {
		t.Fatal(err)
	}
	const text = "USHERS she sells hishers; une née he-e he e shE"
	var got, want []string
	a.find(text, func(word uint16, end int) {
		got = append(got, words[word]+"@"+strings.Repeat(".", end))
	})
	lower := strings.ToLower(text)
	for _, w := range words {
		for i := 0; i+len(w) <= len(lower); i++ {
			if lower[i:i+len(w)] == w {
				want = append(want, w+"@"+strings.Repeat(".", i+len(w)))
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %d occurrences, want %d", len(got), len(want))
	}
}
