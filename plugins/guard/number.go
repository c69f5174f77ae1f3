package guard

import "strings"

// Numbers that need no word beside them: their own form and checksum say what
// they are. Rules refer to them by the detector's name.
const (
	detectCard = "card_number"
	detectIBAN = "iban_number"
	detectSSN  = "ssn_number"
	detectCPF  = "cpf_number"
	detectCNPJ = "cnpj_number"
	detectRRN  = "rrn_number"
	detectCNID = "cn_id_number"
	detectHetu = "hetu_number"
	detectCF   = "it_cf_number"
	detectCURP = "curp_number"
	detectMRZ  = "mrz_line"
)

// numbers looks for such numbers at the beginnings of words.
func numbers(text string) []sighting {
	var found []sighting
	for i := 0; i < len(text); {
		if !wordByte(text[i]) {
			i++
			continue
		}
		var at span
		detector := ""
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			at, detector = digitNumber(text, i)
		case c >= 'A' && c <= 'Z':
			at, detector = letterNumber(text, i)
		}
		if detector != "" && clean(text, at) {
			found = append(found, sighting{detector: detector, at: at})
			i = at.end
			continue
		}
		for i < len(text) && wordByte(text[i]) {
			i++
		}
	}
	return found
}

// clean reports whether nothing stands around s that makes it a part of a
// longer number, a name or an address.
func clean(text string, s span) bool {
	if s.start > 1 && strings.IndexByte("-_/.#%\\+", text[s.start-1]) >= 0 && wordByte(text[s.start-2]) {
		return false
	}
	if s.end == len(text) {
		return true
	}
	if wordByte(text[s.end]) {
		return false
	}
	return strings.IndexByte("-_/.", text[s.end]) < 0 || s.end+1 == len(text) || !wordByte(text[s.end+1])
}

// The lengths of the longest number and of the shortest account number, in bytes.
const (
	maxNumber    = 40
	shortestIBAN = 15
)

// digitNumber reads a number that starts with a digit at i.
func digitNumber(text string, i int) (span, string) {
	// The shape has a 0 for every digit, so that it can be compared.
	var shape [maxNumber]byte
	n := 0
	for n < maxNumber && i+n < len(text) {
		c := text[i+n]
		switch {
		case c >= '0' && c <= '9':
			shape[n] = '0'
		case (c == ' ' || c == '-' || c == '.' || c == '/' || c == '+') && i+n+1 < len(text) && text[i+n+1] >= '0' && text[i+n+1] <= '9':
			shape[n] = c
		default:
			return digitShape(text, i, string(shape[:n]))
		}
		n++
	}
	return digitShape(text, i, string(shape[:n]))
}

// digitShapes are the shapes that need no word beside them.
var digitShapes = [...]struct {
	shapes, detector string
	check            func(string) bool
}{
	{"0000 0000 0000 0000|0000-0000-0000-0000|0000 000000 00000|0000-000000-00000|0000 000000 0000|0000-000000-0000", detectCard, card},
	{"0000 0000 0000 0000 000|0000-0000-0000-0000-000", detectCard, card},
	{"000-00-0000", detectSSN, ssn},
	{"000.000.000-00", detectCPF, cpf},
	{"00.000.000/0000-00", detectCNPJ, cnpj},
	{"000000-0000000", detectRRN, rrn},
	{"000000000000000000", detectCNID, recentChineseID},
}

func digitShape(text string, i int, shape string) (span, string) {
	if len(shape) < 6 {
		return span{}, ""
	}
	s := span{i, i + len(shape)}
	for _, d := range digitShapes {
		if named := len(shape) >= 11 && listed(d.shapes, shape); named && d.check(text[s.start:s.end]) {
			return s, d.detector
		}
	}
	switch shape {
	case "00000000000000000":
		s.end++
		if s.end <= len(text) && text[s.end-1]|0x20 == 'x' && recentChineseID(text[s.start:s.end]) {
			return s, detectCNID
		}
	case "000000-000", "000000+000", "000000":
		s.end = i + 11
		if s.end <= len(text) && strings.IndexByte("-+ABCDEFYXWVU", text[i+6]) >= 0 && hetu(text[s.start:s.end]) {
			return s, detectHetu
		}
	}
	return span{}, ""
}

// listed reports whether list, words with | between them, has word.
func listed(list, word string) bool {
	for w := range strings.SplitSeq(list, "|") {
		if w == word {
			return true
		}
	}
	return false
}

// recentChineseID is chineseID for people who may be alive.
func recentChineseID(s string) bool {
	return chineseID(s) && (s[6:8] == "19" || s[6:8] == "20")
}

// letterNumber reads a number that starts with capital letters at i.
func letterNumber(text string, i int) (span, string) {
	end := i
	for end < len(text) && end-i < 48 && (upperOrDigit(text[end]) || text[end] == '<') {
		end++
	}
	word := text[i:end]
	switch {
	case len(word) >= 44 && strings.Contains(word, "<") && mrz(word[:44]):
		return span{i, i + 44}, detectMRZ
	case len(word) == 16 && codiceFiscale(word) && date("01", dayOf(word[9:11])) && capitals(word[:6]):
		return span{i, end}, detectCF
	case len(word) == 18 && capitals(word[:4]) && curp(word):
		return span{i, end}, detectCURP
	case len(word) < 4 || !capitals(word[:2]) || !numerals(word[2:4]):
		return span{}, ""
	}
	return account(text, i, end)
}

// account reads an account number whose first word is text[i:end], in one word or
// in groups of four.
func account(text string, i, end int) (span, string) {
	for whole := end-i == 4; whole && end-i < maxNumber; {
		group := end + 1
		j := group
		for j < len(text) && upperOrDigit(text[j]) && j-group <= 4 {
			j++
		}
		if j == group || j-group > 4 || text[end] != ' ' && text[end] != '-' {
			break
		}
		end, whole = j, j-group == 4
	}
	for ; end-i >= shortestIBAN; end-- {
		// Words after the number may look like groups of it.
		if (end == len(text) || !upperOrDigit(text[end])) && iban(text[i:end]) {
			return span{i, end}, detectIBAN
		}
	}
	return span{}, ""
}

func upperOrDigit(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' }

func capitals(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

func numerals(s string) bool { return strings.Trim(s, "0123456789") == "" }

// dayOf reads the day in an Italian tax code, where women's have 40 added.
func dayOf(s string) string {
	if s > "40" && numerals(s) {
		return string(s[0]-4) + s[1:]
	}
	return s
}
