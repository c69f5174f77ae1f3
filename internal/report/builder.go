package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
)

// Builder adds up records. It is not safe for concurrent use.
type Builder struct {
	scanner  string // the only one that counts; empty: all
	report   Report
	relay    histogram
	scanners map[place]*tally
	servers  map[string]*Server
	seen     seen

	unscanned, anomalies, drift counts
}

// place is a scanner in a mode.
type place struct{ name, mode string }

// tally is a Scanner in the making.
type tally struct {
	Scanner

	times                                        histogram
	failures, rules, servers, tools, uninspected counts
}

// NewBuilder returns a builder for records from since on, of one scanner or, with
// an empty name, of all.
func NewBuilder(since time.Time, scanner string) *Builder {
	return &Builder{
		scanner: scanner, report: Report{Since: since},
		scanners: map[place]*tally{}, servers: map[string]*Server{}, unscanned: counts{}, anomalies: counts{}, drift: counts{},
	}
}

// Read adds up all records of a reader.
func (b *Builder) Read(r *audit.Reader) error {
	since := audit.Stamp(b.report.Since)
	for line, err := range r.Lines() {
		if err != nil {
			return err //nolint:wrapcheck // it says what was attempted
		}
		if line.Stamp() < since {
			continue
		}
		e, err := line.Entry()
		if err != nil {
			b.report.Torn++
			continue
		}
		b.Add(&e)
	}
	b.report.Torn += r.Torn
	return nil
}

// Add adds one record.
func (b *Builder) Add(e *audit.Entry) {
	if e.Time.Before(b.report.Since) || b.scanner != "" && (e.Event != audit.Verdict || e.Scanner != b.scanner) {
		return
	}
	n := e.Times()
	b.report.Records++
	if b.report.First.IsZero() || e.Time.Before(b.report.First) {
		b.report.First = e.Time
	}
	if e.Time.After(b.report.Last) {
		b.report.Last = e.Time
	}
	switch e.Event {
	case audit.Verdict:
		b.verdict(e, n)
	case audit.Decision:
		b.unscanned.add(e.Reason, n)
		s := b.server(e.Server)
		s.Messages += n
		s.Unscanned += n
	case audit.Withheld:
		b.server(e.Server).Withheld += n
	case audit.Anomaly:
		b.anomalies.add(e.Server+": "+e.Reason, n)
	case audit.Drift:
		b.drift.add(e.Server+": "+e.Outcome+" "+e.Reason, n)
	case audit.Lost:
		b.report.Lost += e.Count
	default:
	}
}

func (b *Builder) verdict(e *audit.Entry, n uint64) {
	b.judged(e, n)
	if e.Outcome == "" || e.ScanID != "" && !b.seen.first(e.ScanID) {
		return // an observer, or another scanner's word on the same message
	}
	s := b.server(e.Server)
	s.Messages += n
	switch e.Outcome {
	case "passed":
		s.Passed += n
	case "passed_in_part":
		s.PassedInPart += n
	case "blocked":
		s.Blocked += n
	default:
		s.HeldBack += n
	}
	if e.Count == 0 && e.RelayUS > 0 {
		b.relay.add(e.RelayUS)
	}
}

// judged adds a verdict to its scanner.
func (b *Builder) judged(e *audit.Entry, n uint64) {
	at := place{e.Scanner, e.Mode}
	t := b.scanners[at]
	if t == nil {
		if len(b.scanners) >= maxNames {
			return // no configuration has as many
		}
		t = &tally{
			Scanner:  Scanner{Name: e.Scanner, Mode: e.Mode},
			failures: counts{}, rules: counts{}, servers: counts{}, tools: counts{}, uninspected: counts{},
		}
		b.scanners[at] = t
	}
	t.Messages += n
	for i := range e.Uninspected {
		t.uninspected.add(e.Uninspected[i].Reason, n)
	}
	switch {
	case e.Reason == "not_needed":
		t.NotAsked += n
		return
	case e.Cause != "":
		t.Failed += n
		t.failures.add(e.Cause+": "+e.Reason, n)
		return
	case e.Cached:
		t.Cached += n
	case e.Count == 0:
		t.times.add(e.ScannerUS)
	}
	t.said(e, n)
}

// said adds what a verdict counted as.
func (t *tally) said(e *audit.Entry, n uint64) {
	action := cmp.Or(e.Effective, e.Action)
	switch action {
	case "flag":
		t.Flag += n
	case "redact":
		t.Redact += n
	case "block":
		t.Block += n
	default:
		t.Allow += n
		return
	}
	var rules []string
	for i := range e.Findings {
		if f := &e.Findings[i]; !f.Excepted && !slices.Contains(rules, f.Rule) {
			rules = append(rules, f.Rule)
			t.rules.add(action+" "+f.Rule, n)
		}
	}
	t.servers.add(e.Server, n)
	if e.Target != "" {
		t.tools.add(e.Server+" "+e.Target, n)
	}
	t.keep(Sighting{
		Time: e.Time, ScanID: e.ScanID, Server: e.Server, Target: e.Target, Action: action,
		Reference: e.Reference, Link: e.Link,
	})
}

// keep has a message among the latest while it is one of them. Records may come
// in any order.
func (t *tally) keep(s Sighting) {
	at, _ := slices.BinarySearchFunc(t.Latest, s.Time, func(a Sighting, b time.Time) int { return b.Compare(a.Time) })
	if at == maxLatest || s.ScanID == "" {
		return
	}
	t.Latest = slices.Insert(t.Latest, at, s)
	t.Latest = t.Latest[:min(len(t.Latest), maxLatest)]
}

func (b *Builder) server(name string) *Server {
	s := b.servers[name]
	if s == nil {
		if len(b.servers) >= maxNames {
			name = Others
		}
		if s = b.servers[name]; s == nil {
			s = &Server{Name: name}
			b.servers[name] = s
		}
	}
	return s
}

// Report returns what was added up so far.
func (b *Builder) Report() *Report {
	out := b.report
	out.Relay = b.relay.times()
	out.Unscanned, out.Anomalies, out.Drift = b.unscanned.list(), b.anomalies.list(), b.drift.list()
	out.Scanners, out.Servers = []Scanner{}, []Server{}
	for _, t := range b.scanners {
		s := t.Scanner
		s.Times = t.times.times()
		s.Failures, s.Rules, s.Servers = t.failures.list(), t.rules.list(), t.servers.list()
		s.Tools, s.Uninspected = t.tools.list(), t.uninspected.list()
		out.Scanners = append(out.Scanners, s)
	}
	slices.SortFunc(out.Scanners, func(a, b Scanner) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Mode, b.Mode)) })
	for _, s := range b.servers {
		out.Servers = append(out.Servers, *s)
	}
	slices.SortFunc(out.Servers, func(a, b Server) int { return cmp.Compare(a.Name, b.Name) })
	return &out
}

// seen remembers the last scan ids, so that each message is counted once. The
// records of one message stand close together.
type seen struct {
	ids  map[string]bool
	ring [4096]string
	next int
}

func (s *seen) first(id string) bool {
	if s.ids == nil {
		s.ids = map[string]bool{}
	}
	if s.ids[id] {
		return false
	}
	delete(s.ids, s.ring[s.next])
	s.ring[s.next] = id
	s.ids[id] = true
	s.next = (s.next + 1) % len(s.ring)
	return true
}
