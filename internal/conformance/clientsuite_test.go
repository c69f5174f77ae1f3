package conformance

import (
	"testing"
)

// TestClientSuite runs the suite's client scenarios with the relay as the client
// of the suite's servers.
func TestClientSuite(t *testing.T) {
	s := newSuite(t)
	report := &report{}
	for _, revision := range []string{lastLegacy, firstModern} {
		required := s.requirements(t, revision)
		page := &table{title: "Client scenarios of " + revision, required: required.Client, unscored: required.unscored("client")}
		for _, era := range []string{legacy, modern} {
			t.Run(revision+"/"+era, func(t *testing.T) {
				t.Setenv(driverEra, era)
				results := s.run(t, "client", "--command", program(driverRole), "--requirements", revision, "--timeout", "120000")
				page.add(t, "relay for a "+era+" client", results, func(string) *exclusion { return nil })
			})
		}
		report.tables = append(report.tables, page)
	}
	report.publish(t, "client")
}
