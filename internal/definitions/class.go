package definitions

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Classes is a set of classes of change.
type Classes uint16

// The classes. A change may have several.
const (
	// Wording: text for people and models changed, or the schema became
	// narrower beyond doubt.
	Wording Classes = 1 << iota
	// Schema: the schema takes or asks for more, or it cannot be told.
	Schema
	// Default: a default, an enum, a constant or an example changed.
	Default
	// Annotation: annotations or anything else that is not understood changed.
	Annotation
	// URL: an address appeared that was not there before.
	URL
	// Renamed: a definition that vanished is back under another name.
	Renamed
	// Added: the server did not have it before; its name is new.
	Added
	// Removed: the server has it no more. No policy is asked.
	Removed
	// Replaced: another program or address is configured under the server's name.
	// No policy is asked.
	Replaced
)

// whole is what a change is whose extent is not known.
const whole = Wording | Schema | Default | Annotation | URL

var classNames = []string{"wording", "schema", "default", "annotation", "url", "renamed", "new", "removed", "replaced"}

// Names returns the names of the classes, as configurations have them.
func (c Classes) Names() []string {
	names := make([]string, 0, bits.OnesCount16(uint16(c)))
	for i, name := range classNames {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names, separated by commas.
func (c Classes) String() string { return strings.Join(c.Names(), ",") }

// MarshalText implements encoding.TextMarshaler.
func (c Classes) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Classes) UnmarshalText(text []byte) error {
	*c = 0
	if len(text) == 0 {
		return nil
	}
	for name := range strings.SplitSeq(string(text), ",") {
		i := slices.Index(classNames, name)
		if i < 0 {
			return fmt.Errorf("%q is no class of change", name)
		}
		*c |= 1 << i
	}
	return nil
}

// Action is what becomes of a change.
type Action uint8

// The actions, the strictest last.
const (
	Allow Action = iota
	Flag
	Hold
)

var actionNames = [...]string{"allow", "flag", "hold"}

// String returns the action as configurations have it.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// ParseAction returns the action that a configuration names. What is none is
// the strictest.
func ParseAction(name string) Action {
	for _, action := range []Action{Allow, Flag} {
		if action.String() == name {
			return action
		}
	}
	return Hold
}

// Policy says what becomes of changes.
type Policy struct {
	// Graded: the class decides, and what would be flagged is held when it
	// happens while the relay runs.
	Graded bool
	// Wording and the others are the actions for each class.
	Wording, Schema, Default, Annotation, URL, Renamed, New Action
}

// Action returns what becomes of a change of some classes. running says that
// this process has offered another form.
func (p *Policy) Action(c Classes, running bool) Action {
	strictest := Allow
	for i, action := range []Action{p.Wording, p.Schema, p.Default, p.Annotation, p.URL, p.Renamed, p.New} {
		if c&(1<<i) != 0 {
			strictest = max(strictest, action)
		}
	}
	if running && p.Graded && strictest == Flag {
		return Hold
	}
	return strictest
}
