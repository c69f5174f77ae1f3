package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	recordOptions

	scanID string
	// run is replaced in tests of the flags.
	run func(o *explainOptions) error
}

func newExplainCommand(std streams) *cobra.Command {
	o := &explainOptions{recordOptions: recordOptions{std: std}, run: runExplain}
	cmd := &cobra.Command{
		Use:   "explain SCAN_ID",
		Short: "Say why something was blocked, from the audit record",
		Long: "Say what happened to the message with this scan id, which clients are told: who sent\n" +
			"it where, what each scanner said, what was not inspected, and what can be done.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o.scanID = args[0]
			return o.run(o)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.file, "audit", "", "audit file, if not the one of the configuration")
	return cmd
}

// Bounds of what one scan id may be about.
const (
	maxScanID  = 64
	maxRecords = 500
)

var errScanID = errors.New("this is no scan id: it has up to 64 letters and digits, as the client shows it under scan_id")

// explanation is what explain prints.
type explanation struct {
	ScanID  string        `json:"scan_id"`
	Records []audit.Entry `json:"records"`
	Steps   []step        `json:"next_steps"`
	Files   []string      `json:"files"`

	cfg *config.Config // nil: none
}

func runExplain(o *explainOptions) error {
	if !validScanID(o.scanID) {
		return invalid{errScanID}
	}
	cfg, r, err := o.open()
	if err != nil {
		return err
	}
	defer r.Close()
	x := &explanation{ScanID: o.scanID, Files: r.Files(), cfg: cfg}
	if err := x.gather(r); err != nil {
		return err
	}
	if len(x.Records) == 0 {
		return x.notFound()
	}
	x.Steps = x.nextSteps()
	if o.json {
		return printJSON(o.std.out, x)
	}
	x.print(o.std.out)
	return nil
}

func validScanID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return id != "" && len(id) <= maxScanID
}

// gather reads the records of the scan.
func (x *explanation) gather(r *audit.Reader) error {
	want := []byte(`"scan_id":"` + x.ScanID + `"`)
	for line, err := range r.Lines() {
		if err != nil {
			return err //nolint:wrapcheck // it says what was attempted
		}
		if !bytes.Contains(line.Text, want) {
			continue
		}
		var e audit.Entry
		if json.Unmarshal(line.Text, &e) == nil && e.ScanID == x.ScanID && len(x.Records) < maxRecords {
			x.Records = append(x.Records, e)
		}
	}
	return nil
}

// notFound says where was looked.
func (x *explanation) notFound() error {
	var looked strings.Builder
	for _, name := range x.Files {
		looked.WriteString("\n    " + printable.String(name))
	}
	return errors.New("nothing in the audit record has this scan id; looked in" + looked.String() +
		"\n    hint: it may be in the record of another configuration (--config, --audit), in a file that was " +
		"removed since, or in a flood of which only the number was recorded")
}
