package audit

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lag is how long a writer may go on writing to a file that another one rotated,
// and a little more.
const lag = look + 2*flushAfter

// report draws the conclusions.
func (v *verifier) report(r *Reader) *Report {
	files := r.Files()
	for _, p := range v.rotated {
		if _, pruned := v.gone[p.File]; !pruned && !slices.Contains(files, p.File) {
			p.File = filepath.Base(p.File)
			v.problem(p)
		}
	}
	var pruned time.Time
	for _, rotated := range v.gone {
		if rotated.After(pruned) {
			pruned = rotated
		}
	}
	for _, c := range v.order {
		if c.First > 1 && c.from == string(Continued) && c.since.After(pruned.Add(lag)) {
			v.problem(Problem{
				Kind: Missing, Chain: c.ID, Seq: c.First,
				Detail: "the records before this one are not there, and were not pruned: " + span(1, c.First-1),
			})
		}
		v.witness(c)
		v.tail(c)
	}
	v.vanished()
	out := &Report{
		Intact: len(v.problems) == 0, Files: files, Records: v.records, Torn: r.Torn,
		Problems: v.problems, Omitted: v.omitted, Chains: make([]Chain, 0, len(v.order)),
	}
	for _, c := range v.order {
		out.Chains = append(out.Chains, c.Chain)
	}
	return out
}

// witness checks that what a chain saw when it began is still there.
func (v *verifier) witness(c *tracked) {
	id, number, ok := strings.Cut(c.after, ":")
	seq, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return
	}
	other := v.chains[id]
	switch {
	case other == nil && len(v.gone) == 0:
		v.problem(Problem{Kind: Missing, Chain: id, Seq: seq, Detail: "this chain is not there; chain " + c.ID + " began after it"})
	case other != nil && other.Last < seq:
		v.problem(Problem{
			Kind: Cut, Chain: id, Seq: other.Last,
			Detail: "the end is not there: chain " + c.ID + " began after number " + number,
		})
	}
}

// tail checks the end of a chain against the note of how far it had come.
func (v *verifier) tail(c *tracked) {
	noted, ok := v.heads[c.ID]
	if ok {
		c.Noted = &noted.Seq
	}
	switch {
	case ok && noted.Seq > c.Last:
		v.problem(Problem{
			Kind: Cut, Chain: c.ID, Seq: c.Last,
			Detail: "the end is not there: the chain had come to number " + strconv.FormatUint(noted.Seq, 10) + " at least",
		})
	case ok && noted.Seq == c.Last && !c.bad && noted.Last != c.prev:
		v.problem(Problem{Kind: Altered, Chain: c.ID, Seq: c.Last, Detail: "the last record is not the one that was written"})
	case !ok && !c.Closed && v.now.Sub(c.last) > grace:
		v.problem(Problem{
			Kind: Cut, Chain: c.ID, Seq: c.Last,
			Detail: "the end is not there: the chain has no last record, and the note of how far it had come is gone",
		})
	}
}

// vanished looks for chains of which only the note is left.
func (v *verifier) vanished() {
	for id, h := range v.heads {
		if v.chains[id] != nil || h.Seq == 0 || !slices.Contains(v.paths, h.Path) {
			continue
		}
		if len(v.gone) > 0 && h.Time.Before(v.earliest) {
			continue // its records were pruned
		}
		v.problem(Problem{
			Kind: Missing, Chain: id, Seq: h.Seq,
			Detail: "this chain is not there; it had come to number " + strconv.FormatUint(h.Seq, 10) + " at least",
		})
	}
}
