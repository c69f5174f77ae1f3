package guard

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// instructions is what the files in instructionDir say together: one has the
// thresholds and groups, the others features.
type instructions struct {
	Version    int                  `yaml:"version"`
	Thresholds map[string]threshold `yaml:"thresholds"`
	Groups     []featureGroup       `yaml:"groups"`
	Features   []feature            `yaml:"features"`

	limits    [phaseCount]threshold
	concealed int // the group of what stands where nobody looks
	shadow    int // the group of that name
}

// threshold is the points from which text is flagged and blocked; 0: never.
type threshold struct {
	Flag  int `yaml:"flag"`
	Block int `yaml:"block"`
	// Core is how many of the points must be those of core groups for text to
	// be blocked: what is only insisted on is flagged.
	Core int `yaml:"core"`
}

// featureGroup is one part that orders to a model are made of.
type featureGroup struct {
	Name string   `yaml:"name"`
	Core []string `yaml:"core"` // the phases, or all, in which it is a core group
	// Lines says that it is found in lines of code, which are no sentences.
	Lines bool `yaml:"lines"`

	core [phaseCount]bool
}

// feature is one way in which a group shows in text.
type feature struct {
	Group    string   `yaml:"group"`
	Points   int      `yaml:"points"`
	Phases   []string `yaml:"phases"` // empty: all
	Keywords []string `yaml:"keywords"`
	Pattern  string   `yaml:"pattern"`
	Hit      []string `yaml:"hit"`
	Miss     []string `yaml:"miss"`

	group  int
	phases [phaseCount]bool
}

// concealedGroup is the group of what stands where nobody looks.
const concealedGroup = "concealed"

var errGroup = errors.New("unknown group")

// loadInstructions reads the embedded features.
func loadInstructions() (*instructions, error) {
	var in instructions
	err := eachRuleFile(instructionDir, func(name string) error {
		var part instructions
		if err := readRuleFile(name, &part); err != nil {
			return err
		}
		in.Features = append(in.Features, part.Features...)
		if part.Thresholds != nil {
			in.Thresholds, in.Groups = part.Thresholds, part.Groups
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for name, t := range in.Thresholds {
		p, err := parsePhase(name)
		if err != nil {
			return nil, fmt.Errorf("thresholds: %w", err)
		}
		in.limits[p] = t
	}
	in.shadow = slices.IndexFunc(in.Groups, func(g featureGroup) bool { return g.Name == shadowGroup })
	in.concealed = slices.IndexFunc(in.Groups, func(g featureGroup) bool { return g.Name == concealedGroup })
	if in.concealed < 0 || in.shadow < 0 {
		return nil, fmt.Errorf("%q and %q: %w", concealedGroup, shadowGroup, errGroup)
	}
	for i := range in.Groups {
		g := &in.Groups[i]
		for p := scanner.PhaseDefinition; int(p) < phaseCount; p++ {
			g.core[p] = contains(g.Core, "all") || contains(g.Core, p.String())
		}
	}
	for i := range in.Features {
		f := &in.Features[i]
		f.group = slices.IndexFunc(in.Groups, func(g featureGroup) bool { return g.Name == f.Group })
		if f.group < 0 {
			return nil, fmt.Errorf("feature %q: %w", f.Group, errGroup)
		}
		for p := scanner.PhaseDefinition; int(p) < phaseCount; p++ {
			f.phases[p] = len(f.Phases) == 0 || contains(f.Phases, p.String())
		}
	}
	return &in, nil
}

// trait is a feature found in a text.
type trait struct {
	group, points int
	at            span
}

// The window in which traits belong together.
const (
	windowSentences = 3
	windowBytes     = 500
)

// windows returns how many sentences belong together: steps of a list in a
// definition do.
func windows(p scanner.Phase) int {
	if p == scanner.PhaseDefinition {
		return windowSentences + 1
	}
	return windowSentences
}

// judgement is the best window of a text.
type judgement struct {
	points int
	core   int    // those of core groups
	group  string // the strongest core group
	groups string // all of them, for people
	at     span
}

// judge returns the window of text with the most points, when it has two
// groups with strong features of which one is a core group, or many groups. That the text was hidden
// counts as a group of its own.
func (in *instructions) judge(p scanner.Phase, text string, traits []trait, hidden bool) (judgement, bool) {
	slices.SortStableFunc(traits, func(a, b trait) int { return cmp.Or(a.at.start-b.at.start, a.group-b.group) })
	sentence := sentences(text, traits)
	var best judgement
	for i := range traits {
		end := i + 1
		for end < len(traits) && (sentence[end]-sentence[i] < windows(p) || in.Groups[traits[end].group].Lines) &&
			traits[end].at.start-traits[i].at.start < windowBytes {
			end++
		}
		if j := in.weigh(p, traits[i:end], hidden); j.points > best.points {
			best = j
		}
	}
	return best, best.points > 0
}

// weigh adds up one window: every group counts once, with its best feature.
func (in *instructions) weigh(p scanner.Phase, window []trait, hidden bool) judgement {
	var (
		points [maxGroups]int
		j      judgement
		groups int
		core   int
	)
	j.at = window[0].at
	if hidden {
		j.points, j.core, groups = hiddenPoints, hiddenPoints, 1
	}
	for _, t := range window {
		if points[t.group] < strong && t.points >= strong {
			groups++
		}
		if points[t.group] == 0 {
			if j.groups != "" {
				j.groups += ", "
			}
			j.groups += in.Groups[t.group].Name
		}
		if t.points > points[t.group] {
			j.points += t.points - points[t.group]
			if in.Groups[t.group].core[p] {
				j.core += t.points - points[t.group]
			}
			points[t.group] = t.points
		}
		if in.Groups[t.group].core[p] && t.points > core {
			core, j.group = t.points, in.Groups[t.group].Name
		}
		j.at.end = max(j.at.end, t.at.end)
	}
	switch {
	case core >= decisive:
	case core > 0 && groups >= 2:
	case groups >= manyGroups:
		j.group = "combined"
	default:
		return judgement{}
	}
	return j
}

// strong is from how many points on a feature makes its group count.
const strong = 2

// decisive is from how many points on a feature of a core group is enough.
const decisive = 5

// manyGroups is how many groups are reported without a core group.
const manyGroups = 4

// hiddenPoints is what it counts that text had to be decoded to be seen.
const hiddenPoints = 3

// maxGroups bounds the number of groups.
const maxGroups = 48

// sentences numbers the sentence in which each trait starts.
func sentences(text string, traits []trait) []int {
	numbers := make([]int, len(traits))
	at, n := 0, 0
	for i, t := range traits {
		for at < t.at.start {
			next := strings.IndexAny(text[at:t.at.start], ".!?\n")
			if next < 0 {
				break
			}
			at += next + 1
			// A full stop inside a name or number ends no sentence, and an empty
			// line no other than the one before.
			if at < len(text) && (text[at] == ' ' || text[at-1] == '\n' && at > 1 && text[at-2] != '\n') {
				n++
			}
		}
		at = max(at, t.at.start)
		numbers[i] = n
	}
	return numbers
}
