package airsbench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
)

// Options say what is measured and with what.
type Options struct {
	Relay string   // the program
	Serve []string // the command of the MCP server, which calls [Serve] with Work
	Work  time.Duration
	// Latency is how long the service takes over a scan.
	Latency airstest.Latency
	// Calls is how many calls are made with so many in flight.
	Calls map[int]int
	// Stderr gets what the relays log.
	Stderr io.Writer
}

const (
	serverName = "wiki"
	publicTool = serverName + "__" + ToolName
	// scanTimeout is how long the relay waits for a scan, with all retries.
	scanTimeout = 5 * time.Second
)

// Bench is a scenario that is set up: a service, a relay before a server, and a
// client. End it with Close.
type Bench struct {
	Scenario Scenario
	// Start is how many scans it took until the tool was offered.
	Start int64

	options *Options
	service *service
	audit   string // path
	http    *http.Server
	client  *client
	relay   *exec.Cmd
	input   io.Closer
	dir     string
	asked   atomic.Int64
}

// Begin sets a scenario up.
func Begin(s *Scenario, o *Options) (*Bench, error) {
	b := &Bench{Scenario: *s, options: o}
	if err := b.begin(); err != nil {
		b.Close()
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	b.Start = b.service.scans.Load()
	return b, nil
}

func (b *Bench) begin() error {
	var err error
	if b.dir, err = os.MkdirTemp("", "airsbench"); err != nil {
		return err //nolint:wrapcheck // it says what was attempted
	}
	b.audit = filepath.Join(b.dir, "audit.jsonl")
	url, err := b.serve()
	if err != nil {
		return err
	}
	config, err := json.Marshal(b.config(url))
	if err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	path := filepath.Join(b.dir, "relay.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return err //nolint:wrapcheck // as above
	}
	b.relay = exec.Command(b.options.Relay, "run", "--config", path) //nolint:gosec,noctx // the caller's program; Close ends it
	b.relay.Stderr = b.options.Stderr
	b.relay.Env = append(os.Environ(), "HOME="+b.dir, "XDG_STATE_HOME="+b.dir, "XDG_RUNTIME_DIR="+b.dir)
	in, err := b.relay.StdinPipe()
	if err != nil {
		return fmt.Errorf("starting the relay: %w", err)
	}
	out, err := b.relay.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting the relay: %w", err)
	}
	if err := b.relay.Start(); err != nil {
		b.relay = nil
		return fmt.Errorf("starting the relay: %w", err)
	}
	b.input, b.client = in, newClient(out, in)
	return b.client.hello()
}

// serve starts the service and returns its address.
func (b *Bench) serve() (string, error) {
	emulator, err := airstest.Start("127.0.0.1:0", airstest.Config{Seed: 1, Rate: b.Scenario.Rate, Latency: b.options.Latency})
	if err != nil {
		return "", fmt.Errorf("starting the emulator: %w", err)
	}
	b.service = &service{Server: emulator, scenario: &b.Scenario}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Close ends it
	if err != nil {
		return "", fmt.Errorf("starting the service: %w", err)
	}
	b.http = &http.Server{Handler: b.service, ReadHeaderTimeout: time.Minute}
	go func() { _ = b.http.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

func (b *Bench) config(url string) map[string]any {
	s := &b.Scenario
	own := map[string]any{"api_key": airstest.DefaultKey, "profile": airstest.DefaultProfile, "endpoint": url}
	maps.Copy(own, s.Scanner)
	relay := map[string]any{
		"scanners": []any{
			map[string]any{
				"name": "airs", "plugin": "panscanner", "config": own, "cache": s.Cache, "timeout": scanTimeout.String(),
				"phases": []string{"definition", "request", "response", "server_request"},
			},
			map[string]any{"name": "local", "plugin": "guard", "phases": []string{"notification"}},
		},
		"audit": map[string]any{"path": b.audit},
	}
	if s.Overlap {
		relay["overlap"] = []string{serverName}
	}
	return map[string]any{
		"mcpServers": map[string]any{serverName: map[string]any{"command": b.options.Serve[0], "args": b.options.Serve[1:]}},
		"relay":      relay,
	}
}

// Close ends everything.
func (b *Bench) Close() {
	if b.input != nil {
		_ = b.input.Close()
	}
	if b.relay != nil {
		late := time.AfterFunc(10*time.Second, func() { _ = b.relay.Process.Kill() })
		if err := b.relay.Wait(); err != nil && b.options.Stderr != nil {
			fmt.Fprintln(b.options.Stderr, "the relay:", err)
		}
		late.Stop()
	}
	if b.http != nil {
		_ = b.http.Close()
	}
	if b.service != nil {
		b.service.Close()
	}
	if err := os.RemoveAll(b.dir); err != nil && !errors.Is(err, os.ErrNotExist) && b.options.Stderr != nil {
		fmt.Fprintln(b.options.Stderr, err)
	}
}
