package airstest

import (
	"slices"
	"strings"
)

// mask replaces every match of the data patterns in text by a run of X of the
// same length. Unless exact, the run is one byte longer than the match, as in
// the published example. Offsets are bytes; the sources disagree on the unit.
func mask(text string, exact bool) *maskedData {
	out := &maskedData{PatternDetections: []patternDetection{}}
	masked := []byte(text)
	for _, pat := range patterns() {
		found := pat.expr.FindAllStringIndex(text, -1)
		if found == nil {
			continue
		}
		locations := make([][2]int, 0, len(found))
		for _, at := range found {
			locations = append(locations, [2]int{at[0], at[1]})
			end := at[1]
			if !exact {
				end = min(end+1, len(text))
			}
			copy(masked[at[0]:end], strings.Repeat("X", end-at[0]))
		}
		for _, name := range pat.names {
			out.PatternDetections = append(out.PatternDetections, patternDetection{Pattern: name, Locations: locations})
		}
	}
	if len(out.PatternDetections) == 0 {
		return nil
	}
	out.Data = string(masked)
	return out
}

// maskFor returns masked data when the profile gives it: only with inline
// masking, and only when the dlp detector blocks.
func (p *Profile) maskFor(text string, found flags) *maskedData {
	if !p.MaskInline || !found[dlp] || p.AlertOnly || p.actionOf(dlp) != actionBlock {
		return nil
	}
	return mask(text, p.ExactMask)
}

const (
	actionBlock = "block"
	actionAllow = "allow"
	actionAlert = "alert"
	actionOff   = "off"
)

func (p *Profile) actionOf(feature string) string {
	if a, ok := p.Actions[feature]; ok {
		return a
	}
	return actionBlock
}

// blocks reports whether any raised flag has the action block.
func (p *Profile) blocks(found flags) bool {
	if p.AlertOnly {
		return false
	}
	for feature, on := range found {
		if on && p.actionOf(feature) == actionBlock {
			return true
		}
	}
	return false
}

// late lists those of the named detectors that ran over the latency budget.
func (p *Profile) late(features []string) []string {
	var out []string
	for _, f := range features {
		if p.actionOf(f) != actionOff && slices.Contains(p.SlowDetectors, f) {
			out = append(out, f)
		}
	}
	return out
}
