package scan

import (
	"slices"

	"github.com/mcp-relay/relay/internal/verdict"
)

// author is a scanner whose own text stands in the content, and when it came.
type author struct {
	member *Member
	stage  int
}

// author returns the scanner when it put in text of its own.
func (o *opinion) author() []author {
	if slices.ContainsFunc(o.counted, func(f verdict.Finding) bool { return f.Edit != nil && f.Edit.HasText }) {
		return []author{{o.seat.member, o.seat.stage}}
	}
	return nil
}

// hearAgain has text that scanners wrote judged, once, by those that have not
// seen it. What they do not let pass as it is, is blocked: nobody edits edits.
func (d *deliberation) hearAgain() Outcome {
	if len(d.authors) == 0 {
		return Passed
	}
	latest, sole := 0, d.authors[0].member
	for _, a := range d.authors {
		latest = max(latest, a.stage)
		if a.member != sole {
			sole = nil // each has to see what the other wrote
		}
	}
	var seats []seat
	for _, stage := range d.seats.stages {
		for i := range stage {
			if stage[i].stage <= latest && stage[i].member != sole {
				seats = append(seats, stage[i])
			}
		}
	}
	if len(seats) == 0 || !d.look() {
		return Passed
	}
	again := d.askAll(seats, "rewritten")
	if out := d.settle(again); out != Passed {
		return out
	}
	for i := range again {
		if o := &again[i]; o.failure == nil && o.counts > verdict.Flag {
			return Blocked
		}
	}
	return Passed
}
