package airsbench

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// Write prints rows as a table in Markdown.
func Write(out io.Writer, rows []Row) {
	fmt.Fprintln(out, "| | in flight | calls | came through | scans per call | of these throttled | added p50 | added p99 | calls/s |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(out, "| %s | %d | %d | %.0f %% | %.2f | %d | %s | %s | %.0f |\n", r.Scenario, r.InFlight, r.Calls,
			100*float64(r.Passed)/float64(r.Calls), r.PerCall(), r.Throttled, milliseconds(r.P50), milliseconds(r.P99), r.Rate)
	}
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

var errNoMarks = errors.New("the page has no place for the table: it stands between the marks airs")

// Insert puts a table into a page, in the place of the one before.
func Insert(page, table []byte) ([]byte, error) {
	begin, end := []byte("<!-- begin airs -->\n"), []byte("<!-- end airs -->")
	head, rest, ok := bytes.Cut(page, begin)
	if !ok {
		return nil, errNoMarks
	}
	_, tail, ok := bytes.Cut(rest, end)
	if !ok {
		return nil, errNoMarks
	}
	return bytes.Join([][]byte{head, begin, []byte("\n"), table, []byte("\n"), end, tail}, nil), nil
}
