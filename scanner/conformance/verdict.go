package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"
)

var category = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)*$`) })

// CheckVerdict tells what the relay would refuse about a verdict on a content,
// all of it at once; nil when nothing.
func CheckVerdict(c scanner.Content, v scanner.Verdict) error {
	return errors.Join(checkForm(v), checkLocations(c, v))
}

// checkLocations tells which findings are not in the content.
func checkLocations(c scanner.Content, v scanner.Verdict) error {
	var problems []error
	for i, f := range v.Findings {
		if err := checkLocation(c, f.Location, f.Redact); err != nil {
			problems = append(problems, fmt.Errorf("finding %d (rule %.128q): %w", i, f.Rule, err))
		}
	}
	return errors.Join(problems...)
}

// checkForm tells what is wrong with a verdict whatever the content was.
func checkForm(v scanner.Verdict) error {
	var problems []error
	refuse := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }

	edits := 0
	for i, f := range v.Findings {
		if f.Redact {
			edits++
		}
		if err := checkFinding(f); err != nil {
			refuse("finding %d: %w", i, err)
		}
	}
	switch v.Action {
	case scanner.ActionAllow:
		if edits > 0 {
			refuse("the action is allow, but a finding has Redact set")
		}
	case scanner.ActionFlag, scanner.ActionBlock:
	case scanner.ActionRedact:
		if edits == 0 {
			refuse("the action is redact, but no finding has Redact set")
		}
	default:
		refuse("the action is missing or unknown")
	}
	if len(v.Findings) > handshake.MaxFindings || len(v.Uninspected) > handshake.MaxFindings {
		refuse("there are more than 1000 findings or uninspected parts")
	}
	for i, u := range v.Uninspected {
		if u.Reason == "" || len(u.Reason) > handshake.MaxReason || len(u.Pointer) > handshake.MaxPointer {
			refuse("uninspected part %d: the reason is missing, or reason or pointer are too long", i)
		}
	}
	if len(v.Reference) > handshake.MaxReason {
		refuse("the reference is longer than 256 bytes")
	}
	if v.Link != "" && !address(v.Link) {
		refuse("the link is not an https address of at most 1024 bytes of printable ASCII")
	}
	return errors.Join(problems...)
}

// address reports whether s is a link that the relay records.
func address(s string) bool {
	const longest = 1024
	u, err := url.Parse(s)
	return err == nil && len(s) <= longest && printable(s) && !strings.Contains(s, " ") &&
		u.Scheme == "https" && u.Host != "" && u.User == nil
}

func checkFinding(f scanner.Finding) error {
	switch {
	case f.Rule == "" || len(f.Rule) > handshake.MaxRule || !printable(f.Rule):
		return fmt.Errorf("rule %.200q is not 1 to 128 bytes of printable ASCII", f.Rule)
	case len(f.Category) > handshake.MaxCategory || !category().MatchString(f.Category):
		return fmt.Errorf("category %.200q is not 1 to 64 bytes of dotted a-z, 0-9 and _", f.Category)
	case !(f.Confidence >= 0 && f.Confidence <= 1): // NaN is neither
		return fmt.Errorf("confidence %v is not within 0 and 1", f.Confidence)
	case len(f.Message) > handshake.MaxText || len(f.Replacement) > handshake.MaxReplacement:
		return errors.New("message or replacement are too long")
	default:
		return nil
	}
}

func checkLocation(c scanner.Content, l scanner.Location, edit bool) error {
	if len(l.Pointer) > handshake.MaxPointer {
		return errors.New("the pointer is longer than 4096 bytes")
	}
	value, err := locate(c, l.Pointer)
	if err != nil {
		return err
	}
	whole := l.Start == 0 && l.End == 0
	text, isString := value.(string)
	switch {
	case isString && !whole:
		return checkRange(text, l.Start, l.End)
	case isString || whole && !edit:
		return nil
	default:
		return fmt.Errorf("pointer %q is not a string, which alone has ranges and can be redacted", l.Pointer)
	}
}

// opaque stands for the value of a blob.
type opaque struct{}

// locate returns the value that a pointer leads to.
func locate(c scanner.Content, pointer string) (any, error) {
	switch c.Kind {
	case scanner.KindJSON:
		var value any
		d := json.NewDecoder(bytes.NewReader(c.Data))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("decode the content: %w", err)
		}
		value, ok := resolve(value, pointer)
		if !ok {
			return nil, fmt.Errorf("pointer %q leads nowhere", pointer)
		}
		return value, nil
	case scanner.KindText:
		if pointer != "" {
			return nil, errors.New("text has no pointer but the empty one")
		}
		return string(c.Data), nil
	default:
		if pointer != "" {
			return nil, errors.New("a blob has no pointer but the empty one")
		}
		return opaque{}, nil
	}
}

func checkRange(text string, start, end int) error {
	switch {
	case start < 0 || end <= start || end > len(text):
		return fmt.Errorf("range %d-%d is not within the string's %d bytes", start, end, len(text))
	case !boundary(text, start) || !boundary(text, end):
		return fmt.Errorf("range %d-%d cuts a character", start, end)
	default:
		return nil
	}
}

// boundary tells whether a character begins or the text ends at i.
func boundary(text string, i int) bool { return i == len(text) || utf8.RuneStart(text[i]) }

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// resolve follows a JSON Pointer.
func resolve(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	if !strings.HasPrefix(pointer, "/") {
		return nil, false
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for segment := range strings.SplitSeq(pointer[1:], "/") {
		switch container := value.(type) {
		case map[string]any:
			member, ok := container[unescape.Replace(segment)]
			if !ok {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(segment)
			if err != nil || i < 0 || i >= len(container) || strconv.Itoa(i) != segment {
				return nil, false
			}
			value = container[i]
		default:
			return nil, false
		}
	}
	return value, true
}
