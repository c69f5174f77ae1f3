package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/conformance"
)

type pluginCheckOptions struct {
	std      streams
	which    string // a bundled scanner's name, or a path
	args     []string
	config   string // files
	bad      string
	contents []string
	crash    string
	json     bool
	cage     checkCage
	live     bool
	relay    string // a file

	run func(context.Context, *pluginCheckOptions) error
}

func newPluginCheckCommand(std streams) *cobra.Command {
	o := &pluginCheckOptions{std: std, run: runPluginCheck}
	cmd := &cobra.Command{
		Use:   "check NAME|PATH [-- ARGUMENT...]",
		Short: "Check whether a scanner keeps the contract",
		Long: "Starts a scanner many times and checks whether it does what the relay expects of\n" +
			"every scanner, in whatever language it is written: see docs/protocol.md, which the\n" +
			"results refer to. The scanner gets an empty home and none of this environment. Where\n" +
			"the system can (Linux) it is confined: it has no network and no files but its own, for\n" +
			"a script those in its directory. Check only what you would run.\n\n" +
			"Give a configuration if the scanner needs one, and a content that it finds something\n" +
			"in, or what is said about findings cannot be checked. A file whose name ends in .json\n" +
			"is judged as a tool's result, any other as text.\n\n" +
			"With --live the scanner is started once, as the relay does it, and judges one\n" +
			"harmless text. That proves a configuration: for panscanner the key, the profile and\n" +
			"the region, with exactly one request. Without a file, panscanner takes its key from\n" +
			"the environment, as the relay would.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.which, o.args = args[0], args[1:]; o.live {
				return runPluginLive(cmd.Context(), o)
			}
			return o.run(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.config, "config", "", "a `file` with a configuration that the scanner accepts, as one JSON object")
	flags.StringVar(&o.bad, "bad-config", "", "a `file` with one that it refuses")
	flags.StringArrayVar(&o.contents, "content", nil, "a `file` with content that the scanner finds something in; may be repeated")
	flags.StringVar(&o.crash, "crash", "", "a `file` with content on which the scanner fails in a way that nobody foresaw")
	o.cage.flags(cmd)
	flags.BoolVar(&o.live, "live", false, "have the scanner judge one harmless text, and check nothing else")
	flags.StringVar(&o.relay, "relay-config", "", "with --live: the relay's configuration `file`, in which NAME is a scanner's name")
	cmd.MarkFlagsMutuallyExclusive("config", "relay-config")
	for _, other := range []string{"bad-config", "content", "crash", "no-sandbox", "network", "allow"} {
		cmd.MarkFlagsMutuallyExclusive("live", other)
	}
	flags.BoolVar(&o.json, "json", false, "print the results as JSON")
	return cmd
}

// What the contract lets through, in bytes.
const (
	maxCheckConfig  = 1 << 20
	maxCheckContent = 8 << 20
)

// checkReport is what the command prints as JSON.
type checkReport struct {
	Program string               `json:"program"`
	Sandbox string               `json:"sandbox"`
	Passed  int                  `json:"passed"`
	Failed  int                  `json:"failed"`
	Skipped int                  `json:"skipped"`
	Checks  []conformance.Result `json:"checks"`
}

func runPluginCheck(ctx context.Context, o *pluginCheckOptions) error {
	opts, err := o.conformance()
	if err != nil {
		return invalid{err}
	}
	path, args, err := o.program()
	if err != nil {
		return invalid{err}
	}
	confined, err := o.cage.close(path, &opts)
	if err != nil {
		return err
	}
	warden, err := startWarden()
	if err != nil {
		return err
	}
	// The warden ends also what left its group, which the checks do not see. When
	// they are interrupted it does so at once, or they would wait for what hangs.
	ended := make(chan struct{})
	end := func() { _ = warden.Close(); close(ended) }
	defer func(unused func() bool) {
		if unused() {
			end()
		}
		<-ended
	}(context.AfterFunc(ctx, end))
	opts.Started, opts.Env = warden.Watch, append(opts.Env, warden.Mark())
	fmt.Fprintf(o.std.err, "relay: checking %s, %s\n", printable.String(o.which), confined)
	report := &checkReport{Program: path, Sandbox: confined, Checks: []conformance.Result{}}
	for r := range o.results(ctx, path, args, opts) {
		if !o.json {
			printResult(o.std.out, r, report.last())
		}
		report.add(r)
	}
	if o.json {
		if err := printJSON(o.std.out, report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(o.std.out, "\n%d passed, %d failed, %d skipped\n", report.Passed, report.Failed, report.Skipped)
	}
	if report.lost() && confined != "not confined" {
		fmt.Fprintln(o.std.err, "relay: give a scanner that needs more than its own file --allow, --network or --no-sandbox")
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("the checks were interrupted")
	case report.Failed > 0:
		return fmt.Errorf("%d of %d checks failed", report.Failed, len(report.Checks))
	}
	return nil
}

func (r *checkReport) add(one conformance.Result) {
	r.Checks = append(r.Checks, one)
	switch one.Status {
	case conformance.Pass:
		r.Passed++
	case conformance.Fail:
		r.Failed++
	case conformance.Skip:
		r.Skipped++
	}
}

// last returns the result before the next.
func (r *checkReport) last() conformance.Result {
	if len(r.Checks) == 0 {
		return conformance.Result{}
	}
	return r.Checks[len(r.Checks)-1]
}

// lost reports whether the scanner did not start.
func (r *checkReport) lost() bool {
	return slices.ContainsFunc(r.Checks, func(one conformance.Result) bool {
		return one.Check == "handshake" && one.Status == conformance.Fail
	})
}

// results are those of the checks, after one that is the relay's own.
func (o *pluginCheckOptions) results(
	ctx context.Context, path string, args []string, opts conformance.Options,
) iter.Seq[conformance.Result] {
	return func(yield func(conformance.Result) bool) {
		if _, own := bundled.New(o.which); !own {
			r := conformance.Result{
				Check: "file", Status: conformance.Pass, Section: conformance.Page + "#1-the-start",
				Expected: "nobody but you and root can write the program, or a directory above it",
			}
			if err := plugin.CheckProgram(path); err != nil {
				r.Status, r.Happened = conformance.Fail, []string{err.Error()}
			}
			if !yield(r) {
				return
			}
		}
		conformance.Program(ctx, path, args, opts)(yield)
	}
}

// program returns what to start.
func (o *pluginCheckOptions) program() (path string, args []string, err error) {
	if _, ok := bundled.New(o.which); ok {
		own, err := os.Executable()
		if err != nil {
			return "", nil, fmt.Errorf("find the relay's own program: %w", err)
		}
		return own, append([]string{"__scanner", o.which}, o.args...), nil
	}
	if known, err := findNamed(o.which); err == nil {
		return known.Program, o.args, nil
	}
	if path, err = filepath.Abs(o.which); err != nil {
		return "", nil, fmt.Errorf("find the scanner: %w", err)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("find the scanner: %w; name a bundled scanner (%s) or the path of a program",
			err, strings.Join(bundled.Names(), ", "))
	case !info.Mode().IsRegular():
		return "", nil, fmt.Errorf("%s is not a program", path)
	}
	return path, o.args, nil
}

// conformance reads the files.
func (o *pluginCheckOptions) conformance() (conformance.Options, error) {
	var opts conformance.Options
	for _, file := range []struct {
		name string
		to   *string
	}{{o.config, &opts.Config}, {o.bad, &opts.BadConfig}} {
		if file.name == "" {
			continue
		}
		text, err := readFile(file.name, maxCheckConfig)
		if err != nil {
			return opts, err
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(text, &object); err != nil || object == nil {
			return opts, fmt.Errorf("%s does not hold one JSON object: %w", file.name, err)
		}
		*file.to = string(bytes.TrimSpace(text))
	}
	for _, name := range o.contents {
		c, err := readContent(name)
		if err != nil {
			return opts, err
		}
		opts.Contents = append(opts.Contents, c)
	}
	if o.crash != "" {
		c, err := readContent(o.crash)
		if err != nil {
			return opts, err
		}
		opts.Crash = &c
	}
	return opts, nil
}

// readContent reads a content: what a server answered to the call of a tool.
func readContent(name string) (scanner.Content, error) {
	text, err := readFile(name, maxCheckContent)
	if err != nil {
		return scanner.Content{}, err
	}
	c := scanner.Content{
		Phase: scanner.PhaseResponse, Kind: scanner.KindText, Data: text,
		Origin: scanner.Origin{Server: "files", Method: "tools/call", Target: "read_file", ProtocolVersion: "2025-11-25"},
	}
	if strings.HasSuffix(name, ".json") {
		c.Kind = scanner.KindJSON
		if !json.Valid(text) {
			return scanner.Content{}, fmt.Errorf("%s is not JSON", name)
		}
	}
	return c, nil
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s is longer than %d bytes", name, limit)
	}
	return text, err
}

// printResult prints a result for a person. What happened is foreign text. Why
// checks were skipped is said once for those in a row.
func printResult(out io.Writer, r, last conformance.Result) {
	mark := map[conformance.Status]string{conformance.Pass: "PASS", conformance.Fail: "FAIL", conformance.Skip: "skip"}[r.Status]
	fmt.Fprintf(out, "%s  %-22s %6.2fs\n", mark, r.Check, r.Seconds)
	switch r.Status {
	case conformance.Fail:
		fmt.Fprintf(out, "      expected  %s\n", r.Expected)
		for _, text := range r.Happened {
			fmt.Fprintf(out, "      happened  %s\n", strings.ReplaceAll(lines(text), "\n", "\n                "))
		}
		fmt.Fprintf(out, "      see       %s\n", r.Section)
	case conformance.Skip:
		if last.Status == conformance.Skip && slices.Equal(last.Happened, r.Happened) {
			return
		}
		for _, text := range r.Happened {
			fmt.Fprintf(out, "      %s\n", printable.Escape(text, maxLine))
		}
	case conformance.Pass:
	}
}
