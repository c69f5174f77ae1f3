package verdict

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Bounds on a verdict; lengths are in bytes.
const (
	MaxFindings    = 1000
	MaxUninspected = 1000

	maxRule      = 128
	maxCategory  = 64
	maxMessage   = 1024
	maxReason    = 256
	maxReference = 256
	maxLink      = 1024
	maxPointer   = 4 << 10
	maxText      = 64 << 10
)

// Validate checks that v is a verdict that the relay can act on for c: known
// values within bounds, locations that exist, and edits that can be applied.
// A verdict that does not validate is a failure, never an allow. The error
// says which entry is wrong and holds nothing of the content or the verdict.
func Validate(v Verdict, c Content) error {
	if !v.Action.Valid() {
		return errors.New("the action is not one of allow, flag, redact and block")
	}
	if c.Kind != JSON && c.Kind != Text && c.Kind != Blob {
		return errors.New("the kind of the content is unknown")
	}
	if len(v.Findings) > MaxFindings || len(v.Uninspected) > MaxUninspected {
		return errors.New("too many entries")
	}
	if v.ScannerTime < 0 {
		return errors.New("the scanner's time is negative")
	}
	if err := v.validateReference(); err != nil {
		return err
	}
	edits := 0
	for i := range v.Findings {
		if err := v.Findings[i].validate(); err != nil {
			return fmt.Errorf("finding %d: %w", i, err)
		}
		if v.Findings[i].Edit != nil {
			edits++
		}
	}
	for i, u := range v.Uninspected {
		if !text(u.Reason, 1, maxReason) {
			return fmt.Errorf("uninspected %d: the reason is empty, too long or not UTF-8", i)
		}
		if len(u.Pointer) > maxPointer || !validPointer(u.Pointer) {
			return fmt.Errorf("uninspected %d: the pointer is not a JSON Pointer", i)
		}
	}
	if v.Action == Allow && edits > 0 {
		return errors.New("the action is allow but a finding has an edit")
	}
	if v.Action == Redact && edits == 0 {
		return errors.New("the action is redact but no finding has an edit")
	}
	return validateLocations(v, c)
}

func (f *Finding) validate() error {
	if f.Severity > Critical {
		return errors.New("the severity is unknown")
	}
	if math.IsNaN(f.Confidence) || f.Confidence < 0 || f.Confidence > 1 {
		return errors.New("the confidence is not between 0 and 1")
	}
	if len(f.Rule) == 0 || len(f.Rule) > maxRule || strings.ContainsFunc(f.Rule, notPrintable) {
		return errors.New("the rule is empty, too long or not printable ASCII")
	}
	if !validCategory(f.Category) {
		return errors.New("the category is not dotted lower-case words")
	}
	if !text(f.Message, 0, maxMessage) {
		return errors.New("the message is too long or not UTF-8")
	}
	if len(f.Location.Pointer) > maxPointer || !validPointer(f.Location.Pointer) {
		return errors.New("the pointer is not a JSON Pointer")
	}
	start, end := f.Location.Start, f.Location.End
	if start < 0 || (start >= end && !f.Location.whole()) {
		return errors.New("the range is empty or negative")
	}
	if f.Edit != nil && !text(f.Edit.Text, 0, maxText) {
		return errors.New("the replacement is too long or not UTF-8")
	}
	return nil
}

func text(s string, shortest, longest int) bool {
	return len(s) >= shortest && len(s) <= longest && utf8.ValidString(s)
}

// validateReference checks where the verdict says that more is known.
func (v *Verdict) validateReference() error {
	if !text(v.Reference, 0, maxReference) {
		return errors.New("the reference is too long or not UTF-8")
	}
	if v.Link != "" && !address(v.Link) {
		return errors.New("the link is not an https address within the limits")
	}
	return nil
}

// address reports whether s is an https address that a record may hold.
func address(s string) bool {
	if len(s) > maxLink || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }

// validCategory reports whether s is [a-z0-9_]+ words joined by dots.
func validCategory(s string) bool {
	if len(s) > maxCategory {
		return false
	}
	before := byte('.')
	for i := range len(s) {
		c := s[i]
		word := c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
		if !word && (c != '.' || before == '.') {
			return false
		}
		before = c
	}
	return before != '.'
}
