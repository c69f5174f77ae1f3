package airsbench

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
)

// serveCommand has the program be the MCP server.
const serveCommand = "serve"

// Main is the program. It returns the exit code.
func Main(args []string, in io.Reader, out, stderr io.Writer) int {
	if len(args) > 1 && args[0] == serveCommand {
		work, err := time.ParseDuration(args[1])
		if err == nil {
			err = Serve(in, out, work)
		}
		return report(err, stderr)
	}
	fs := flag.NewFlagSet("airsbench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	relay := fs.String("relay", "bin/relay", "the relay")
	docs := fs.String("docs", "", "page whose table is replaced")
	short := fs.Bool("short", false, "make few calls")
	if err := fs.Parse(args); err != nil {
		return report(err, stderr)
	}
	return report(measure(*relay, *docs, *short, out), stderr)
}

func report(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 2
	default:
		fmt.Fprintln(stderr, "airsbench:", err)
		return 1
	}
}

func measure(relay, docs string, short bool, out io.Writer) error {
	own, err := os.Executable()
	if err != nil {
		return err //nolint:wrapcheck // it says what was attempted
	}
	const work = 100 * time.Millisecond
	o := Options{
		Relay: relay, Serve: []string{own, serveCommand, work.String()}, Work: work,
		Latency: airstest.ServiceLatency(), Calls: map[int]int{1: 30, 8: 160, 64: 320},
	}
	if short {
		o.Calls = map[int]int{1: 5, 8: 24, 64: 128}
	}
	begin := time.Now()
	rows, err := Run(Scenarios(), &o)
	if err != nil {
		return err
	}
	var table bytes.Buffer
	fmt.Fprintf(&table, "Made %s in %s on %d processors with %s; load average %s.\n\n", begin.UTC().Format(time.RFC3339),
		time.Since(begin).Round(time.Second), runtime.NumCPU(), runtime.Version(), load())
	Write(&table, rows)
	if _, err := out.Write(table.Bytes()); err != nil || docs == "" {
		return err //nolint:wrapcheck // of standard output
	}
	page, err := os.ReadFile(docs)
	if err != nil {
		return err //nolint:wrapcheck // it says what was attempted
	}
	if page, err = Insert(page, table.Bytes()); err != nil {
		return err
	}
	return os.WriteFile(docs, page, 0o644) //nolint:wrapcheck // a page of the documentation
}

// load returns how busy the machine is, where the system says so.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) > 2 {
		return strings.Join(fields[:3], " ")
	}
	return "unknown"
}
