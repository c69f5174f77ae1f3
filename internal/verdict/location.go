package verdict

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

var (
	errOutside   = errors.New("the range is outside the string")
	errCut       = errors.New("the range cuts a character")
	errNotString = errors.New("a range or an edit in something that is not a string")
	errNoPlaces  = errors.New("this kind of content has no locations inside")
	errLeads     = errors.New("the pointer leads nowhere")
)

// whole reports whether l is a value and not a range in it.
func (l Location) whole() bool { return l.Start == 0 && l.End == 0 }

// fits checks the range against the decoded string.
func (l Location) fits(decoded []byte) error {
	switch {
	case l.whole():
		return nil
	case l.Start < 0 || l.Start >= l.End || l.End > len(decoded):
		return errOutside
	case !boundary(decoded, l.Start) || !boundary(decoded, l.End):
		return errCut
	default:
		return nil
	}
}

// boundary reports whether no character of b contains both b[i-1] and b[i].
func boundary(b []byte, i int) bool {
	if i == len(b) || utf8.RuneStart(b[i]) {
		return true
	}
	for back := 1; back < utf8.UTFMax && back <= i; back++ {
		if utf8.RuneStart(b[i-back]) {
			_, size := utf8.DecodeRune(b[i-back:])
			return size <= back
		}
	}
	return true
}

// claim is a place that a verdict speaks of.
type claim struct {
	entry    string // what names it, for errors
	index    int
	location Location
	edited   bool // an edit will be applied to it
}

func (c *claim) errorf(err error) error { return fmt.Errorf("%s %d: %w", c.entry, c.index, err) }

// claims returns the places inside the content that v speaks of. What speaks of
// the content as a whole is left out, as it needs no look at it.
func claims(v Verdict) []claim {
	var list []claim
	for i := range v.Findings {
		f := &v.Findings[i]
		edited := f.Edit != nil && v.Action == Redact
		if edited || f.Location != (Location{}) {
			list = append(list, claim{"finding", i, f.Location, edited})
		}
	}
	for i, u := range v.Uninspected {
		if u.Pointer != "" {
			list = append(list, claim{"uninspected", i, Location{Pointer: u.Pointer}, false})
		}
	}
	return list
}

// validateLocations checks that c has the places that v speaks of.
func validateLocations(v Verdict, c Content) error {
	list := claims(v)
	if len(list) == 0 {
		return nil
	}
	switch c.Kind {
	case JSON:
		return claimsInJSON(list, c.Data)
	case Text:
		for i := range list {
			if list[i].location.Pointer != "" {
				return list[i].errorf(errNoPlaces)
			}
			if err := list[i].location.fits(c.Data); err != nil {
				return list[i].errorf(err)
			}
		}
		return nil
	default:
		return list[0].errorf(errNoPlaces)
	}
}

// claimsInJSON checks claims in one pass over the JSON.
func claimsInJSON(list []claim, data []byte) error {
	pointers := make([]string, len(list))
	for i := range list {
		pointers[i] = list[i].location.Pointer
	}
	found := make([]bool, len(list))
	err := locate(data, pointers, func(p place) error {
		var decoded []byte
		for _, i := range p.named {
			found[i] = true
			whole := list[i].location.whole()
			if p.kind != '"' && (!whole || list[i].edited) {
				return list[i].errorf(errNotString)
			}
			if whole {
				continue
			}
			if decoded == nil {
				decoded = p.decoded()
			}
			if err := list[i].location.fits(decoded); err != nil {
				return list[i].errorf(err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range found {
		if !found[i] {
			return list[i].errorf(errLeads)
		}
	}
	return nil
}
