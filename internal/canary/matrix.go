package canary

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Matrix is what became of all steps on all ways to all servers.
type Matrix struct {
	Cells    []Cell         `json:"cells"`
	Scans    map[string]int `json:"scans"` // by scanner
	Problems []string       `json:"problems"`
	Notes    []string       `json:"notes,omitempty"`
	Hidden   []string       `json:"hidden,omitempty"` // servers that were expected to be
}

// Policy says what the matrix is held to.
type Policy struct {
	Hidden       []string // servers that the configuration exempts
	ExpectHidden []string // and those of which that is expected
}

// NewMatrix judges conversations.
func NewMatrix(all []Conversation, w *Witness, records Records, p Policy) *Matrix {
	m := &Matrix{Scans: map[string]int{}, Problems: []string{}}
	for i := range all {
		m.add(&all[i], all[i].Cells(w, records), p)
	}
	for _, name := range p.Hidden {
		if slices.Contains(p.ExpectHidden, name) {
			m.Hidden = append(m.Hidden, name)
		}
	}
	for _, name := range p.ExpectHidden {
		if !slices.Contains(p.Hidden, name) {
			m.problem("server %s is expected to be hidden, and is judged", printable.String(name))
		}
	}
	return m
}

// Failed reports whether something went unjudged.
func (m *Matrix) Failed() bool { return len(m.Problems) > 0 }

func (m *Matrix) problem(format string, args ...any) {
	m.Problems = append(m.Problems, fmt.Sprintf(format, args...))
}

// add takes the cells of a conversation and says what is wrong with them.
func (m *Matrix) add(c *Conversation, cells []Cell, p Policy) {
	m.Cells = append(m.Cells, cells...)
	where := fmt.Sprintf("server %s over %s", printable.String(c.Server), c.Way)
	if slices.Contains(p.Hidden, c.Server) {
		if !slices.Contains(p.ExpectHidden, c.Server) {
			m.problem("%s: hidden_mode: nothing is judged; remove it, or say --expect-hidden %s", where, printable.String(c.Server))
		}
		return
	}
	if c.Err != nil {
		m.problem("%s: the conversation ended early: %s", where, printable.Escape(c.Err.Error(), maxText))
	}
	for _, phase := range verdict.Phases {
		judged, silent := false, true
		for i := range cells {
			if cells[i].Phase != phase.String() {
				continue
			}
			judged = judged || cells[i].State == Judged
			silent = silent && !c.expected(&Steps[i])
			switch cells[i].State {
			case Unjudged:
				m.problem("%s: %s passed unjudged", where, cells[i].Step)
			case Observed:
				m.problem("%s: %s is only observed", where, cells[i].Step)
			case Held:
				m.problem("%s: %s got no verdict and was held back (%s)", where, cells[i].Step, strings.Join(cells[i].Scanners, ", "))
			case Judged:
				if cells[i].BadCame && !censored(cells[i].Scanners) {
					m.Notes = append(m.Notes, fmt.Sprintf("%s: %s was judged, and a text that no scanner should let pass did (%s)",
						where, cells[i].Step, strings.Join(cells[i].Scanners, ", ")))
				}
			case Missing:
			}
		}
		if !judged && !silent {
			m.problem("%s: phase %s went unjudged", where, phase)
		}
	}
}

// censored reports whether a scanner had parts of the text taken out.
func censored(scanners []string) bool {
	return slices.ContainsFunc(scanners, func(s string) bool { return strings.HasSuffix(s, ":redact") })
}

// maxText bounds a line, in bytes.
const maxText = 1024

// Print writes the matrix for people: for each server a table with a row for each
// step and a column for each way.
func (m *Matrix) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	servers, ways := m.axes()
	for _, server := range servers {
		fmt.Fprintf(w, "\nserver %s\nPHASE\tSTEP", printable.String(server))
		for _, way := range ways[server] {
			fmt.Fprintf(w, "\t%s", way)
		}
		fmt.Fprintln(w)
		for i := range Steps {
			fmt.Fprintf(w, "%s\t%s", Steps[i].Phase, Steps[i].Name)
			for _, way := range ways[server] {
				fmt.Fprintf(w, "\t%s", m.cell(server, way, Steps[i].Name))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprintln(w)
	for _, note := range m.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	for _, p := range m.Problems {
		fmt.Fprintf(w, "FAIL: %s\n", p)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Scans)) {
		fmt.Fprintf(w, "scanner %s was asked %d times\n", printable.String(name), m.Scans[name])
	}
	for _, name := range m.Hidden {
		fmt.Fprintf(w, "server %s is hidden, as expected: NOTHING of it is judged\n", printable.String(name))
	}
	if !m.Failed() {
		of := "every server"
		if len(m.Hidden) > 0 {
			of = "every other server"
		}
		fmt.Fprintf(w, "every phase of %s was judged, on every way that was tried\n", of)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing the matrix: %w", err)
	}
	return nil
}

// axes returns the servers, and the ways that were tried for each.
func (m *Matrix) axes() (servers []string, ways map[string][]Way) {
	ways = map[string][]Way{}
	for i := range m.Cells {
		c := &m.Cells[i]
		if !slices.Contains(servers, c.Server) {
			servers = append(servers, c.Server)
		}
		if !slices.Contains(ways[c.Server], c.Way) {
			ways[c.Server] = append(ways[c.Server], c.Way)
		}
	}
	return servers, ways
}

// cell returns the text of a cell. What a scanner is called is foreign to nobody
// but is bounded by the configuration's own rule for names.
func (m *Matrix) cell(server string, way Way, step string) string {
	for i := range m.Cells {
		c := &m.Cells[i]
		if c.Server != server || c.Way != way || c.Step != step {
			continue
		}
		if c.State == Judged {
			return strings.Join(c.Scanners, " ")
		}
		return strings.TrimSpace(string(c.State) + " " + strings.Join(c.Scanners, " "))
	}
	return string(Missing)
}
