package conformance

// Page is the page that the sections of results belong to, relative to the root
// of the repository.
const Page = "docs/protocol.md"

// Sections of the page.
const (
	onStart     = "#1-the-start"
	onTLS       = "#2-automtls"
	onHandshake = "#3-the-handshake-line"
	onServices  = "#4-services"
	onOrder     = "#5-the-order-of-calls"
	onScans     = "#6-scans"
	onVerdicts  = "#7-verdicts"
	onErrors    = "#8-errors"
	onEnd       = "#9-the-end"
	onLogs      = "#10-logs"
	onChanges   = "#11-changes"
)

// Check is what one of the checks is about.
type Check struct{ Name, Expected, Section string }

// Checks lists the checks in the order in which they run.
func Checks() []Check {
	var out []Check
	for _, c := range checks() {
		out = append(out, Check{Name: c.name, Expected: c.expected, Section: Page + c.section})
	}
	return out
}

func checks() []check {
	all := processChecks()
	all = append(all, configChecks()...)
	all = append(all, contentChecks()...)
	all = append(all, findingChecks()...)
	all = append(all, loadChecks()...)
	return append(all, endChecks()...)
}
