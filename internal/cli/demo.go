package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/demo"
	"github.com/mcp-relay/relay/internal/printable"
)

type demoOptions struct {
	std     streams
	file    string
	scanner string
	print   bool
	verbose bool
}

func newDemoCommand(std streams) *cobra.Command {
	o := &demoOptions{std: std}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the relay at work on a small server that ships with it",
		Long: "demo starts the relay with a scanner process and a small MCP server, lets a\n" +
			"scripted client call its tools and says what became of each call. It needs no\n" +
			"account, no network and no other program.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.file, "file", "", "tools, answers and script to use instead of the built-in ones")
	f.StringVar(&o.scanner, "scanner", "guard", "bundled scanner that judges, or the path of one")
	f.BoolVar(&o.print, "print", false, "print the built-in file, to be changed and given with --file")
	f.BoolVar(&o.verbose, "verbose", false, "show what the relay logs")
	return cmd
}

// demoTimeout bounds the whole demonstration.
const demoTimeout = time.Minute

var errSurprise = errors.New("the outcome is not what the script expects; see above")

func runDemo(ctx context.Context, o *demoOptions) error {
	if o.print {
		_, err := o.std.out.Write(demo.Default)
		return err
	}
	if strings.ContainsAny(o.scanner, "/\\") {
		// The configuration is written elsewhere, and paths start there.
		path, err := filepath.Abs(o.scanner)
		if err != nil {
			return invalid{fmt.Errorf("finding the scanner: %w", err)}
		}
		o.scanner = path
	}
	script, err := demo.Load(o.file)
	if err != nil {
		return invalid{err}
	}
	dir, err := os.MkdirTemp("", "relay-demo-")
	if err != nil {
		return fmt.Errorf("making a directory for the demo: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s := &stage{options: o, script: script, dir: dir}
	return s.perform(ctx)
}

// stage is one demonstration.
type stage struct {
	options  *demoOptions
	script   *demo.File
	dir      string
	auditLog string
	stderr   bytes.Buffer
}

func (s *stage) perform(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	start := time.Now()
	relay, in, out, err := s.startRelay(ctx)
	if err != nil {
		return err
	}
	client := demo.NewClient(out, in)
	surprises, err := s.play(client, start)
	// The relay ends when its client closes the pipe, and everything with it.
	if cerr := in.Close(); err == nil {
		err = cerr
	}
	if werr := relay.Wait(); err == nil && werr != nil {
		err = fmt.Errorf("the relay: %w", werr)
	}
	if err != nil {
		s.say("\n%s", lines(s.stderr.String()))
		return err
	}
	if record := s.sampleRecord(); record != "" {
		s.say("\nEvery verdict is one line of the audit record. This was one of them:\n  %s\n", record)
	}
	if surprises > 0 {
		return errSurprise
	}
	return nil
}

// play lets the client list the tools and run the script.
func (s *stage) play(client *demo.Client, start time.Time) (surprises int, err error) {
	if err := client.Handshake(); err != nil {
		return 0, err
	}
	offered, _, err := client.Tools()
	if err != nil {
		return 0, err
	}
	s.say("client -> relay -> demo server; every message is judged by scanner %s in a process of its own\n\n",
		printable.String(s.options.scanner))
	s.say("tools: %d of %d offered, %s after the start\n", len(offered), len(s.script.Tools), round(time.Since(start)))
	for i := range s.script.Tools {
		name := s.script.Tools[i].Name()
		if slices.Contains(offered, demoServer+"__"+name) {
			s.say("  offered   %s\n", printable.String(name))
			continue
		}
		s.say("  WITHHELD  %s\n", printable.String(name))
		s.why("definition", name, "")
	}
	s.say("\ncalls:\n")
	for i := range s.script.Script {
		step := &s.script.Script[i]
		a, err := client.Call(demoServer+"__"+step.Tool, step.Arguments)
		if err != nil {
			return surprises, err
		}
		s.say("  %-8s  %s (%s, %s)\n", a.Outcome, printable.Escape(step.Title, maxLine), printable.String(step.Tool), round(a.Took))
		s.say("            the model sees: \"%s\"\n", printable.Escape(a.Text, 160))
		s.why("", step.Tool, a.ScanID)
		if step.Expect != "" && step.Expect != a.Outcome {
			surprises++
			s.say("            EXPECTED %s\n", printable.String(string(step.Expect)))
		}
	}
	return surprises, nil
}

// demoServer is the demo server's name in the configuration.
const demoServer = "demo"

// startRelay starts this program as a client would, with a configuration of
// the demo server and one scanner.
func (s *stage) startRelay(ctx context.Context) (*exec.Cmd, io.WriteCloser, io.Reader, error) {
	exe, err := ownExecutable()
	if err != nil {
		return nil, nil, nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("finding the relay's own program file: %w", err)
	}
	script, err := json.Marshal(s.script)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("writing the script: %w", err)
	}
	scriptPath, configPath := filepath.Join(s.dir, "demo.json"), filepath.Join(s.dir, "relay.json")
	s.auditLog = filepath.Join(s.dir, "audit.jsonl")
	cfg, err := json.Marshal(map[string]any{
		"mcpServers": map[string]any{demoServer: map[string]any{"command": program, "args": []string{serverCommand, scriptPath}}},
		"relay": map[string]any{
			"scanners": []any{map[string]any{"name": "demo", "plugin": s.options.scanner, "timeout": "30s"}},
			"audit":    map[string]any{"path": s.auditLog},
		},
	})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("writing the configuration: %w", err)
	}
	for path, text := range map[string][]byte{scriptPath: script, configPath: cfg} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return nil, nil, nil, fmt.Errorf("writing the demo's files: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, exe, "run", "--config", configPath) //nolint:gosec // it is this program
	cmd.Args[0] = "relay"                                               // not the name of the link that starts it
	cmd.Stderr = &s.stderr
	if s.options.verbose {
		cmd.Stderr = s.options.std.err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("starting the relay: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("starting the relay: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, nil, fmt.Errorf("starting the relay: %w", err)
	}
	return cmd, in, out, nil
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.options.std.out, format, args...) }

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// serveDemo is the demo server's process.
func serveDemo(path string) int {
	f, err := demo.Load(path)
	if err == nil {
		err = f.Serve(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo server:", lines(err.Error()))
		return exitFailed
	}
	return exitOK
}
