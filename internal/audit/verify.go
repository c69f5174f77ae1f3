package audit

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

// The kinds of a [Problem].
const (
	Altered   = "altered"   // a line is not what was written
	Missing   = "missing"   // lines or files are not there any more
	Moved     = "moved"     // a line stands where it does not belong, or twice
	Unchained = "unchained" // a line that no relay with this key wrote
	Cut       = "cut"       // the end of a chain is not there any more
)

// Problem is one thing that is not as it was written.
type Problem struct {
	Kind   string `json:"kind"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Chain  string `json:"chain,omitempty"`
	Seq    uint64 `json:"seq,omitempty"`
	Detail string `json:"detail"`
}

// Chain is what became of the lines of one relay process.
type Chain struct {
	ID      string    `json:"chain"`
	Begin   time.Time `json:"begin"`
	First   uint64    `json:"first"` // above 1: what was before was pruned
	Last    uint64    `json:"last"`
	Records uint64    `json:"records"`
	Closed  bool      `json:"closed"` // else the relay runs, or was killed
	Noted   *uint64   `json:"noted,omitempty"`
	Lost    uint64    `json:"lost,omitempty"` // records that could not be written, as it says itself
}

// Report is what [Verify] found.
type Report struct {
	Intact   bool      `json:"intact"`
	Files    []string  `json:"files"`
	Records  uint64    `json:"records"`
	Torn     int       `json:"torn"` // pieces of lines; no sign of tampering by itself
	Chains   []Chain   `json:"chains"`
	Problems []Problem `json:"problems"`
	// Omitted is how many problems are not listed.
	Omitted int `json:"problems_omitted,omitempty"`
}

// maxProblems bounds those that are listed.
const maxProblems = 100

// grace is how old the last line of a chain without a note is at least, to say
// that there should be one.
const grace = 10 * time.Second

// Verify checks that no line of the records with these current files was
// changed, removed, inserted or moved since it was written. state is the relay's
// state directory; empty: [statefile.Home]. The error says that it could not be
// checked.
func Verify(state string, paths ...string) (*Report, error) {
	return verifyAt(time.Now(), state, paths...)
}

func verifyAt(now time.Time, state string, paths ...string) (*Report, error) {
	if state == "" {
		home, err := statefile.Home()
		if err != nil {
			return nil, fmt.Errorf("%w, or the directory with the key of the record", err)
		}
		state = home
	}
	dir, err := statefile.Open(state)
	if err != nil {
		return nil, fmt.Errorf("looking for the key of the audit record: %w", err)
	}
	defer dir.Close()
	key, err := readKey(dir)
	if err != nil {
		return nil, err
	}
	v := &verifier{mac: newMAC(key), chains: map[string]*tracked{}, gone: map[string]time.Time{}, now: now, paths: paths}
	// Heads first: they must not know more than the files that are read.
	if v.heads, err = headsOf(state, v.mac); err != nil {
		return nil, err
	}
	r, err := OpenReader(paths...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for line, err := range r.Lines() {
		if err != nil {
			return nil, err
		}
		v.line(&line)
	}
	return v.report(r), nil
}

// tracked is a chain that is being read.
type tracked struct {
	Chain

	prev  string
	last  time.Time
	file  string // of the last line
	from  string // the first event
	bad   bool   // the last line is altered, so that nothing can follow it
	after string
	since time.Time // of the record before the first
}

type verifier struct {
	mac    *mac
	chains map[string]*tracked
	order  []*tracked
	heads  map[string]head
	now    time.Time

	records  uint64
	problems []Problem
	omitted  int
	rotated  []Problem            // files that records name as predecessors
	gone     map[string]time.Time // files that were pruned, and when they had been rotated
	paths    []string
	earliest time.Time
}

func (v *verifier) problem(p Problem) {
	if len(v.problems) >= maxProblems {
		v.omitted++
		return
	}
	v.problems = append(v.problems, p)
}

func (v *verifier) line(line *Line) {
	v.records++
	file := filepath.Base(line.File)
	l, ok := parseLink(line.Text)
	if !ok {
		v.problem(Problem{Kind: Unchained, File: file, Line: line.Number, Detail: "this line is not part of any chain"})
		return
	}
	at := Problem{File: file, Line: line.Number, Chain: l.chain, Seq: l.seq}
	genuine := v.mac.fits(l.mac, l.body)
	c := v.chains[l.chain]
	if !genuine {
		v.altered(c, &l, at)
		return
	}
	event, when := heading(line.Text)
	if v.earliest.IsZero() || when.Before(v.earliest) {
		v.earliest = when
	}
	if c == nil {
		c = v.first(&l, event, when, at)
	} else if !v.follows(c, &l, event, file, at) {
		return
	}
	c.Last, c.prev, c.last, c.file, c.bad = l.seq, l.mac, when, file, false
	c.Records++
	v.special(c, event, line)
}

// altered notes a line whose code does not fit.
func (v *verifier) altered(c *tracked, l *link, at Problem) {
	at.Kind, at.Detail = Altered, "this line is not what was written"
	v.problem(at)
	if c != nil && l.seq == c.Last+1 {
		c.Last, c.file, c.bad = l.seq, at.File, true
		c.Records++
	}
}

// first begins to follow a chain.
func (v *verifier) first(l *link, event Event, when time.Time, at Problem) *tracked {
	c := &tracked{Chain: Chain{ID: l.chain, First: l.seq, Begin: when}, from: string(event)}
	v.chains[l.chain] = c
	v.order = append(v.order, c)
	switch {
	case l.seq == 1 && (event != Opened || l.prev != origin):
		at.Kind, at.Detail = Missing, "the chain does not begin with its first record"
		v.problem(at)
	case l.seq > 1 && event != Continued:
		at.Kind, at.Detail = Missing, "the records before this one are not there: "+span(1, l.seq-1)
		v.problem(at)
	}
	return c
}

// follows reports whether a genuine line is the next of its chain, or else what
// that means.
func (v *verifier) follows(c *tracked, l *link, event Event, file string, at Problem) bool {
	switch {
	case l.seq <= c.Last:
		at.Kind, at.Detail = Moved, "this record stands here again, or in the wrong order"
		v.problem(at)
		return false
	case l.seq > c.Last+1:
		at.Kind, at.Detail = Missing, "the records before this one are not there: "+span(c.Last+1, l.seq-1)
		v.problem(at)
	case !c.bad && l.prev != c.prev:
		at.Kind, at.Detail = Altered, "this record does not follow the one before"
		v.problem(at)
	case c.Closed:
		at.Kind, at.Detail = Moved, "this record stands after the end of its chain"
		v.problem(at)
	case c.file != file && event != Continued:
		at.Kind, at.Detail = Moved, "this record was written to another file"
		v.problem(at)
	}
	return true
}

func span(from, to uint64) string {
	if from == to {
		return "number " + strconv.FormatUint(from, 10)
	}
	return fmt.Sprintf("numbers %d to %d", from, to)
}

// special takes in what the events of the record itself say.
func (v *verifier) special(c *tracked, event Event, line *Line) {
	switch event {
	case Opened, Closed, Continued, Pruned, Lost:
	default:
		return
	}
	e, err := line.Entry()
	if err != nil {
		return // it is genuine, so it is JSON
	}
	dir := filepath.Dir(line.File)
	switch event { //nolint:exhaustive // the others were left out above
	case Opened:
		c.after = e.After
	case Closed:
		c.Closed = true
	case Continued:
		if c.Records == 1 && e.Since != nil {
			c.since = *e.Since
		}
		if e.Target != "" {
			v.rotated = append(v.rotated, Problem{
				Kind: Missing, File: filepath.Join(dir, e.Target), Chain: c.ID, Seq: e.Seq,
				Detail: "this file is not there, and no record says that it was pruned",
			})
		}
	case Pruned:
		v.gone[filepath.Join(dir, e.Target)] = v.rotation(e.Target)
	case Lost:
		c.Lost += e.Count
	}
}

// rotation returns when a backup was made, by its name.
func (v *verifier) rotation(name string) time.Time {
	for _, path := range v.paths {
		stem, ext := stemOf(filepath.Base(path))
		if t, ok := rotatedAt(stem, ext, name); ok {
			return t
		}
	}
	return time.Time{}
}

// heading reads the time and the event of a genuine line, which stand at the
// same place in each.
func heading(text []byte) (Event, time.Time) {
	rest := string(text[:min(len(text), 96)])
	rest = strings.TrimPrefix(rest, beginning)
	stamp, rest, _ := strings.Cut(rest, `"`)
	when, err := time.Parse(timeFormat, stamp)
	if err != nil {
		when = time.Time{}
	}
	rest, ok := strings.CutPrefix(rest, `,"event":"`)
	if !ok {
		return "", when
	}
	event, _, _ := strings.Cut(rest, `"`)
	return Event(event), when
}
