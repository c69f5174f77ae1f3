package conformance

import (
	"slices"
	"strings"
	"testing"
)

const (
	legacy = "legacy"
	modern = "modern"

	lastLegacy  = "2025-11-25"
	firstModern = "2026-07-28"

	direct   = "direct"
	overHTTP = "http"
	overPipe = "stdio"
)

// column is one run of the suite's server scenarios.
type column struct {
	title    string
	revision string // requirement set, and with it the era of the suite's client
	through  string // direct, or how the relay reaches the reference server
	server   string // era of the reference server
}

func (c column) bridged() bool { return (c.revision == firstModern) != (c.server == modern) }

var columns = []column{
	{"direct", lastLegacy, direct, legacy},
	{"relay, HTTP", lastLegacy, overHTTP, legacy},
	{"relay, stdio", lastLegacy, overPipe, legacy},
	{"relay, modern server, HTTP", lastLegacy, overHTTP, modern},
	{"relay, modern server, stdio", lastLegacy, overPipe, modern},
	{"direct", firstModern, direct, modern},
	{"relay, HTTP", firstModern, overHTTP, modern},
	{"relay, stdio", firstModern, overPipe, modern},
	{"relay, legacy server, HTTP", firstModern, overHTTP, legacy},
	{"relay, legacy server, stdio", firstModern, overPipe, legacy},
}

// exclusion is a scenario, or some checks of one, that makes no sense where the
// eras are bridged.
type exclusion struct {
	revision, scenario string
	checks             []string // empty: the whole scenario
	why                string
}

const (
	asksInMidCall  = "the reference server's tool asks in mid-call, which it refuses to do for a client of the modern era"
	toldOnce       = "a legacy server is told of capabilities once, in its handshake with the relay, and not of each client's"
	namesQuestions = "the scenario wants the key that a modern server gives its question; a legacy server's question has none"
	oneRound       = "for a legacy client the reference server itself asks only once and returns its second question as a result"
)

// exclusions hold for the bridged columns alone; everywhere else every required
// scenario counts.
var exclusions = []exclusion{
	{lastLegacy, "tools-call-sampling", nil, asksInMidCall},
	{lastLegacy, "tools-call-elicitation", nil, asksInMidCall},
	{lastLegacy, "elicitation-sep1034-defaults", nil, asksInMidCall},
	{lastLegacy, "elicitation-sep1330-enums", nil, asksInMidCall},
	{firstModern, "input-required-result-basic-elicitation", nil, namesQuestions},
	{firstModern, "input-required-result-multi-round", nil, oneRound},
	{firstModern, "input-required-result-capability-check", nil, toldOnce},
	{firstModern, "server-stateless", []string{"sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400"}, toldOnce},
}

func excluded(c column, scenario string) *exclusion {
	if !c.bridged() {
		return nil
	}
	i := slices.IndexFunc(exclusions, func(e exclusion) bool { return e.revision == c.revision && e.scenario == scenario })
	if i < 0 {
		return nil
	}
	return &exclusions[i]
}

// alone reports whether a scenario has a relay of its own. What it leaves
// unanswered stays in flight at a legacy server on standard streams, whose next
// question could then belong to either call, and is refused.
func alone(c column, scenario string) bool {
	return c.bridged() && c.server == legacy && c.through == overPipe && strings.HasPrefix(scenario, "input-required-")
}

// TestServerSuite runs the suite's server scenarios against the reference server
// directly and through the relay.
func TestServerSuite(t *testing.T) {
	s := newSuite(t)
	report := &report{}
	for _, revision := range []string{lastLegacy, firstModern} {
		required := s.requirements(t, revision)
		page := &table{title: "Server scenarios of " + revision, required: required.Server, unscored: required.unscored("server")}
		for _, c := range columns {
			if c.revision != revision {
				continue
			}
			t.Run(strings.Join([]string{revision, c.through, c.server}, "/"), func(t *testing.T) {
				place := newPlace(t, s, c)
				results := s.run(t, "server", "--url", place.url, "--requirements", revision)
				for _, scenario := range required.Server {
					if alone(c, scenario) {
						own := s.run(t, "server", "--url", newPlace(t, s, c).url, "--scenario", scenario, "--spec-version", revision)
						results[scenario] = own[scenario]
					}
				}
				page.add(t, c.title, results, func(scenario string) *exclusion { return excluded(c, scenario) })
				if t.Failed() {
					t.Logf("the relay said:\n%s", tail(place.said(), 8000))
				}
			})
		}
		report.tables = append(report.tables, page)
	}
	report.publish(t, "server")
}
