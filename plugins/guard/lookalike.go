package guard

import (
	"slices"
	"strings"
	"unicode"
)

// Lengths of names that are compared, in bytes.
const (
	minCompared     = 6
	maxComparedName = 128
)

// style is how the words of a name are put together.
type style uint8

const (
	stylePlain style = iota // one word in small letters
	styleSnake
	styleKebab
	styleDotted
	styleCamel
	styleOdd // none that people use, such as two signs in a row
)

func styleOf(name string) style {
	const signs = "_-./"
	used := ""
	upper := false
	for i := range len(name) {
		c := name[i]
		switch {
		case strings.IndexByte(signs, c) >= 0:
			if i == 0 || i == len(name)-1 || strings.IndexByte(signs, name[i-1]) >= 0 {
				return styleOdd
			}
			if strings.IndexByte(used, c) < 0 {
				used += string(c)
			}
		case 'A' <= c && c <= 'Z':
			upper = true
		}
	}
	switch {
	case len(used) > 1, used != "" && upper:
		return styleOdd
	case upper:
		return styleCamel
	case used == "":
		return stylePlain
	default:
		return style(strings.Index("_-.", used)) + styleSnake //nolint:gosec // below 3; of / none
	}
}

// nameParts returns the words of a name, in small letters.
func nameParts(name string) []string {
	var words []string
	start, before := 0, rune(0)
	cut := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
	}
	for i, r := range name {
		switch {
		case strings.ContainsRune("_-./ ", r):
			cut(i)
			start = i + 1
		case unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsDigit(before)):
			cut(i)
			start = i
		}
		before = r
	}
	cut(len(name))
	return words
}

// offeredName takes a name apart. Its skeleton is what it looks like at a glance.
func (t *tables) offeredName(name string) offeredName {
	folded := t.fold(name, false).text
	letters := strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-./ ", r) {
			return -1
		}
		return r
	}, folded))
	skeleton := strings.NewReplacer("I", "l", "1", "l", "0", "o", "5", "s", "rn", "m", "vv", "w").Replace(folded)
	skeleton = strings.Trim(strings.ToLower(skeleton), "_-./ ")
	if skeleton == "" {
		letters, skeleton = "", " "
	}
	return offeredName{name: name, skeleton: skeleton, letters: letters, words: nameParts(folded), style: styleOf(name)}
}

// mistaken reports whether a tool's name can be taken for another's, and no
// reason is seen for it other than that.
func (in *inventory) mistaken(tool *ownTool, mine, other *offeredName) bool {
	switch {
	case strings.EqualFold(mine.name, other.name) && mine.style != styleOdd:
		return false
	case mine.skeleton == other.skeleton && !strings.EqualFold(mine.name, other.name):
		return true
	case mine.letters == other.letters:
		// Servers put names together in ways of their own. One that does so in this
		// way once only imitates.
		return mine.style != other.style && (mine.style == styleOdd || len(in.own) > 2) && in.alone(tool)
	default:
		return mistyped(mine.words, other.words, tool.description)
	}
}

// alone reports whether no other tool of the catalogue has a name of this style.
func (in *inventory) alone(tool *ownTool) bool {
	for i := range in.own {
		if t := &in.own[i]; t != tool && t.style == tool.style {
			return false
		}
	}
	return true
}

// mistyped reports whether names differ by what looks like an error of typing in
// one or two words. A word that the description uses is meant as it is.
func mistyped(mine, other []string, description string) bool {
	if len(mine) != len(other) {
		return false
	}
	wrong := 0
	for i := range mine {
		if mine[i] == other[i] {
			continue
		}
		if wrong++; wrong > 2 || strings.Contains(description, mine[i]) {
			return false
		}
		slip, small := slipOf(mine[i], other[i])
		if !slip && (!small || !strings.Contains(description, other[i])) {
			return false
		}
	}
	return wrong > 0
}

// slipOf compares two words. slip: letters changed places or one is doubled, which
// hardly makes another word. small: one letter inside differs, or two of a long
// word.
func slipOf(a, b string) (slip, small bool) {
	const (
		word = 5
		long = 9
	)
	if min(len(a), len(b)) < word || a[0] != b[0] || a[len(a)-1] != b[len(b)-1] || strings.ContainsAny(a+b, "0123456789") {
		return false, false
	}
	if spelling(a) == spelling(b) {
		return false, false
	}
	if len(a) == len(b) {
		i := 0
		for a[i] == b[i] {
			i++
		}
		if a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
			return true, true
		}
	} else if undoubled(a) == undoubled(b) {
		return true, true
	}
	d := distance(a, b)
	return false, d == 1 || d == 2 && min(len(a), len(b)) >= long
}

// spelling undoes what differs between the ways in which English is written.
func spelling(w string) string {
	return strings.NewReplacer("our", "or", "z", "s", "ogue", "og", "ll", "l", "ence", "ense", "tre", "ter").Replace(w)
}

// undoubled returns w with each letter that stands twice in a row once.
func undoubled(w string) string {
	return string(slices.Compact([]byte(w)))
}

// distance returns how many letters must be put in, taken out or replaced to make
// a of b.
func distance(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return max(d, -d)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
