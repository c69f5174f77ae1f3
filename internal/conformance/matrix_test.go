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

// exclusion is a scenario that makes no sense where the eras are bridged.
type exclusion struct{ revision, scenario, why string }

const asksInMidCall = "the reference server's tool asks in mid-call, which it refuses to do for a client of the modern era"

// exclusions hold for the bridged columns alone; everywhere else every required
// scenario counts.
var exclusions = []exclusion{
	{lastLegacy, "tools-call-sampling", asksInMidCall},
	{lastLegacy, "tools-call-elicitation", asksInMidCall},
	{lastLegacy, "elicitation-sep1034-defaults", asksInMidCall},
	{lastLegacy, "elicitation-sep1330-enums", asksInMidCall},
}

func excluded(c column, scenario string) (why string, ok bool) {
	if !c.bridged() {
		return "", false
	}
	i := slices.IndexFunc(exclusions, func(e exclusion) bool { return e.revision == c.revision && e.scenario == scenario })
	if i < 0 {
		return "", false
	}
	return exclusions[i].why, true
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
				page.add(t, c.title, results, func(scenario string) (string, bool) { return excluded(c, scenario) })
				if t.Failed() {
					t.Logf("the relay said:\n%s", tail(place.said(), 8000))
				}
			})
		}
		report.tables = append(report.tables, page)
	}
	report.publish(t, "server")
}
