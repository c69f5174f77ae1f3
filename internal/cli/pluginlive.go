package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/verdict"
)

// liveTimeout bounds the start, and the one scan.
const liveTimeout = 15 * time.Second

// liveContent is the harmless text that a scanner is asked about.
const liveContent = "The weather in Lisbon is sunny, 24 degrees."

// liveReport is what the live check found out, and what it prints as JSON.
type liveReport struct {
	Scanner      string   `json:"scanner"`
	OK           bool     `json:"ok"`
	Says         []string `json:"says"` // what the scanner logged
	Verdict      string   `json:"verdict,omitempty"`
	Milliseconds int64    `json:"milliseconds,omitempty"`
	Reference    string   `json:"reference,omitempty"`
	Link         string   `json:"link,omitempty"`
	Reason       string   `json:"reason,omitempty"` // why there is no verdict
	Detail       string   `json:"detail,omitempty"`
	Do           string   `json:"do,omitempty"`
}

// runPluginLive starts a scanner as the relay does, with the configuration that is
// to be proved, and has it judge one harmless text.
func runPluginLive(ctx context.Context, o *pluginCheckOptions) error {
	spec, err := o.liveSpec()
	if err != nil {
		return invalid{err}
	}
	warden, err := startWarden()
	if err != nil {
		return err
	}
	defer func() { _ = warden.Close() }()
	said := &sayings{}
	log := slog.New(discreetLog{said, secretsOf(secretMembers(spec.Config))})
	report := liveReport{Scanner: o.which, Says: []string{}}
	err = report.prove(ctx, spec, warden, log)
	if report.Says = append(report.Says, said.take()...); o.json {
		if jerr := printJSON(o.std.out, report); jerr != nil {
			return jerr
		}
	} else if perr := report.print(o.std.out); perr != nil {
		return perr
	}
	return err
}

// prove has the scanner judge the text and fills in the report.
func (r *liveReport) prove(ctx context.Context, spec plugin.Spec, w *process.Warden, log *slog.Logger) error {
	s, err := plugin.Start(ctx, spec, w, log)
	if err != nil {
		return invalid{fmt.Errorf("starting the scanner: %w", err)}
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), liveTimeout)
		defer cancel()
		_ = s.Stop(ending)
	}()
	starting, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	if err := s.Ready(starting); err != nil {
		r.Reason, r.Detail = "not_started", err.Error()
		if refused, ok := errors.AsType[*plugin.ConfigError](err); ok {
			r.Reason, r.Detail, r.Do = "configuration", refused.Error(), "correct the configuration; nothing was sent"
			return invalid{errors.New("the scanner refuses its configuration")}
		}
		return errors.New("the scanner does not start")
	}
	began := time.Now()
	v, err := s.Scan(ctx, verdict.Content{
		Phase: verdict.Response, Kind: verdict.Text, Data: []byte(liveContent),
		Origin: verdict.Origin{
			Session: "relay-live-check", Call: "relay-live-check", Server: "relay-live-check", Method: "tools/call", Target: "check",
		},
	})
	r.Milliseconds = time.Since(began).Milliseconds()
	if err != nil {
		r.Reason, r.Detail = "internal", err.Error()
		if f, ok := errors.AsType[*verdict.Failure](err); ok && f.Err != nil {
			r.Reason, r.Detail = f.Reason, f.Err.Error()
		}
		r.Do = bundled.Advice(spec.Bundled, r.Reason)
		return errors.New("the scanner gives no verdict")
	}
	r.Verdict, r.Reference, r.Link = v.Action.String(), v.Reference, v.Link
	if r.OK = v.Action == verdict.Allow; !r.OK {
		r.Do = "look at the report and at what the scanner is set to find: it finds something in a harmless text"
		return errors.New("the scanner does not let a harmless text pass")
	}
	return nil
}

// print prints the report for a person. What the scanner says is foreign text.
func (r *liveReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, printable.Escape(text, maxLine))
		}
	}
	row("scanner", r.Scanner)
	for _, text := range r.Says {
		row("says", text)
	}
	if r.Verdict != "" {
		row("verdict", fmt.Sprintf("%s, after %d ms", r.Verdict, r.Milliseconds))
	}
	row("reference", r.Reference)
	row("link", r.Link)
	if r.Reason != "" {
		row("no verdict", r.Reason)
		row("because", r.Detail)
	}
	row("do", r.Do)
	return w.Flush()
}

// liveSpec says what to start, with the configuration of a file or, for the
// scanner that the environment configures, with that.
func (o *pluginCheckOptions) liveSpec() (plugin.Spec, error) {
	if o.relay != "" {
		return o.configuredSpec()
	}
	var given json.RawMessage
	if o.config != "" {
		opts, err := (&pluginCheckOptions{config: o.config}).conformance()
		if err != nil {
			return plugin.Spec{}, err
		}
		given = json.RawMessage(opts.Config)
	}
	spec := plugin.Spec{
		Name: "checked", Args: o.args, RunDir: runDir(), Timeout: liveTimeout,
		Env: process.Environment(process.DefaultAllow(), nil, false),
	}
	if _, ok := bundled.New(o.which); ok {
		spec.Bundled = o.which
		spec.Config = bundled.Live(o.which, config.Complete(o.which, given, os.LookupEnv))
		spec.Needs, spec.Limits = bundledNeeds(o.which, spec.Config), bundledLimits
		return spec, nil
	}
	spec.Config = given
	if known, err := findNamed(o.which); err == nil {
		spec.Path, spec.SHA256 = known.Program, known.SHA256
		useInstalled(&spec, &known)
		return spec, nil
	}
	path, err := filepath.Abs(o.which)
	if err != nil {
		return spec, fmt.Errorf("find the scanner: %w", err)
	}
	spec.Path = path
	return spec, nil
}

// configuredSpec is the scanner as a configuration of the relay has it.
func (o *pluginCheckOptions) configuredSpec() (plugin.Spec, error) {
	cfg, err := (&runOptions{std: o.std}).read(o.relay)
	if err != nil {
		return plugin.Spec{}, err
	}
	for i := range cfg.Relay.Scanners {
		if s := &cfg.Relay.Scanners[i]; s.Name == o.which || s.Plugin == o.which {
			spec := pluginSpec(s)
			spec.Config, spec.Timeout = bundled.Live(spec.Bundled, spec.Config), liveTimeout
			return spec, nil
		}
	}
	return plugin.Spec{}, fmt.Errorf("%s has no scanner of that name", o.relay)
}

// secretMembers returns the members of a configuration that are secret by name.
func secretMembers(raw json.RawMessage) map[string]string {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(raw, &members) // what is no object is the scanner's to report
	found := map[string]string{}
	for name, value := range members {
		var text string
		for _, word := range []string{"key", "token", "secret", "password", "proxy", "credential"} {
			if strings.Contains(strings.ToLower(name), word) && json.Unmarshal(value, &text) == nil {
				found[name] = text
			}
		}
	}
	return found
}

// sayings is a log handler that keeps what the scanner says.
type sayings struct {
	mu   sync.Mutex
	said []string
}

// Enabled implements slog.Handler.
func (*sayings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

// Handle implements slog.Handler: it keeps the lines of the scanner alone.
func (s *sayings) Handle(_ context.Context, r slog.Record) error {
	const most = 50
	text := ""
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "text":
			text = a.Value.String()
		case "fields":
			text += plainFields(a.Value.String())
		default:
		}
		return true
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if text != "" && len(s.said) < most {
		s.said = append(s.said, text)
	}
	return nil
}

// plainFields turns the fields of a line, one JSON object, into words.
func plainFields(raw string) string {
	var fields map[string]any
	if json.Unmarshal([]byte(raw), &fields) != nil {
		return " " + raw
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, " %s=%v", name, fields[name])
	}
	return b.String()
}

// WithAttrs implements slog.Handler.
func (s *sayings) WithAttrs([]slog.Attr) slog.Handler { return s }

// WithGroup implements slog.Handler.
func (s *sayings) WithGroup(string) slog.Handler { return s }

// take returns what was said so far.
func (s *sayings) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said
}
