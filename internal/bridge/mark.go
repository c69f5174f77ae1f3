package bridge

import (
	"strings"
	"unicode"
)

// maxMark is how long, in runes, something between brackets may be that is still
// taken for a mark.
const maxMark = 256

// What a person might take for the brackets of a mark.
const (
	openers = "[［⁅⟦〚【〔❲﹝﹇⦋⦍⦏⎡⎢⎣"
	closers = "]］⁆⟧〛】〕❳﹞﹈⦌⦎⦐⎤⎥⎦"
)

// mark returns what begins a text of this server. Names are the user's and
// plain; should one hold a bracket or something invisible, it must not end the
// mark early.
func mark(server string) string {
	return "[" + strings.Map(func(r rune) rune {
		if strings.ContainsRune(openers+closers, r) || invisible(r) && r != ' ' {
			return '_'
		}
		return r
	}, server) + "] "
}

// markMessage returns a message that a person is shown, as one of this server.
func markMessage(server, message string) string {
	return mark(server) + unmarked(server, strings.Map(func(r rune) rune {
		if turns(r) || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, message))
}

// unmarked returns text without whatever looks like a mark at its start: the
// relay's own one of this server, and all that is like it, with everything in
// front that cannot be seen.
func unmarked(server, text string) string {
	own := mark(server)
	for {
		rest := strings.TrimPrefix(text, own)
		rest = strings.TrimLeftFunc(rest, invisible)
		rest = withoutBrackets(rest)
		if len(rest) == len(text) {
			return text
		}
		text = rest
	}
}

// withoutBrackets removes one pair of brackets at the start and what is between.
func withoutBrackets(text string) string {
	runes := 0
	for i, r := range text {
		switch {
		case i == 0 && !strings.ContainsRune(openers, r), runes > maxMark:
			return text
		case i > 0 && strings.ContainsRune(closers, r):
			return text[i+len(string(r)):]
		}
		runes++
	}
	return text
}

// invisible reports whether nothing is seen of r at the start of a line, or only
// together with what is before it.
func invisible(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u3164', '\uFFA0', '\u2800': // letters and patterns that are blank
		return true
	}
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Mn, unicode.Me, unicode.Z) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// turns reports whether r changes the direction in which text is shown.
func turns(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }
