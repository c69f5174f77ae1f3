package doctor

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/mcp-relay/relay/internal/printable"
)

// Status says how a look turned out.
type Status string

// The outcomes of a look.
const (
	OK   Status = "ok"
	Warn Status = "warn" // it works, and somebody should know
	Fail Status = "fail" // something does not work, or is not protected
)

// Area groups checks for people.
type Area string

// The areas, in the order in which they are looked at.
const (
	Configuration Area = "configuration"
	Permissions   Area = "permissions"
	Keys          Area = "keys"
	Packages      Area = "packages"
	Clients       Area = "clients"
	Processes     Area = "processes"
	Storage       Area = "storage"
	Scanners      Area = "scanners"
	Servers       Area = "servers"
	Clocks        Area = "clocks"
)

// Check is what one look found.
type Check struct {
	Area    Area   `json:"area"`
	Subject string `json:"subject,omitempty"` // a server, a scanner, a file
	Status  Status `json:"status"`
	What    string `json:"what"`
	Do      string `json:"do,omitempty"` // empty when there is nothing to do
}

// Report is what all looks found.
type Report []Check

// Failed reports whether a check failed.
func (r Report) Failed() bool { return r.count(Fail) > 0 }

func (r Report) count(s Status) (n int) {
	for i := range r {
		if r[i].Status == s {
			n++
		}
	}
	return n
}

// maxText bounds a line of a report, in bytes.
const maxText = 1024

// Print writes the report for people: a line for each check, and one below it
// where something is to be done.
func (r Report) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i := range r {
		c := &r[i]
		subject := "-"
		if c.Subject != "" {
			subject = printable.String(c.Subject)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Status, c.Area, subject, printable.Escape(c.What, maxText))
		if c.Do != "" {
			fmt.Fprintf(w, "\t\t\t-> %s\n", printable.Escape(c.Do, maxText))
		}
	}
	fmt.Fprintf(w, "\n%d ok, %d to know of, %d failed\n", r.count(OK), r.count(Warn), r.count(Fail))
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	return nil
}
