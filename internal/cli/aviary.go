package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/canary"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/verdict"
)

// aviary is where canaries fly: a relay as it is configured, between a fake server
// and a client of its own.
type aviary struct {
	options *doctorOptions
	cfg     *config.Config
	dir     string
	witness *canary.Witness
	log     *slog.Logger
}

// fly has all conversations, one after the other, and returns what came of them.
func (v *aviary) fly(ctx context.Context, plan []path) (*canary.Matrix, error) {
	var err error
	if v.log, err = newLogger(v.options.std.err, v.options.level); err != nil {
		return nil, invalid{err}
	}
	a, err := assembleWatched(ctx, v.cfg, v.log, v.options.std.err, v.witness.Watch)
	if err != nil {
		return nil, err
	}
	closed := false
	closeAll := func() {
		if !closed {
			closed = true
			a.close()
		}
	}
	defer closeAll()
	if err := a.ready(ctx); err != nil {
		return nil, err
	}
	v.options.announce(a.scannerFacts(ctx, time.Now()), len(plan))
	all := make([]canary.Conversation, 0, len(plan))
	policy := canary.Policy{ExpectHidden: v.options.expectHidden}
	for _, p := range plan {
		all = append(all, v.converse(ctx, a, p))
	}
	closeAll() // what observes comes to its end, and the record is whole
	records, err := readModes(v.cfg.Relay.Audit.Path)
	if err != nil {
		return nil, err
	}
	for i := range v.cfg.Servers {
		if s := &v.cfg.Servers[i]; s.Hidden && !s.Disabled {
			policy.Hidden = append(policy.Hidden, s.Name)
		}
	}
	matrix := canary.NewMatrix(all, v.witness, records, policy)
	for i := range v.cfg.Relay.Scanners {
		name := v.cfg.Relay.Scanners[i].Name
		matrix.Scans[name] = v.witness.Scans(name)
	}
	return matrix, nil
}

// converse has one conversation, on the streams that a client would have.
func (v *aviary) converse(ctx context.Context, a *assembly, p path) canary.Conversation {
	run := canary.NewRun()
	c := canary.Conversation{
		Server: p.server.Name, Way: p.way, Run: run, Silent: silent(p.server),
		AtClient: canary.NewArrivals(run), AtHost: canary.NewArrivals(run),
	}
	v.witness.Follow(run)
	entry, finish, err := v.host(ctx, p, run, c.AtHost)
	if err != nil {
		c.Err = err
		return c
	}
	sub := *v.cfg
	sub.Servers = []config.Server{entry}
	a.options.Servers = a.servers(&sub)
	toRelay, fromClient := io.Pipe()
	toClient, fromRelay := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- a.serveStdio(ctx, &sub, streams{in: toRelay, out: fromRelay, err: io.Discard})
		_ = fromRelay.Close()
	}()
	client := canary.NewClient(run, p.way.Modern, toClient, fromClient, c.AtClient.Note)
	c.Err = client.Converse(ctx)
	_ = fromClient.Close()
	if err := <-served; c.Err == nil && err != nil {
		c.Err = err
	}
	if err := finish(); c.Err == nil && err != nil {
		c.Err = err
	}
	return c
}

// host starts a fake server, or says how the relay does, and returns the entry
// that stands for a configured server: its name and all that is policy stays.
func (v *aviary) host(
	ctx context.Context, p path, run canary.Run, came *canary.Arrivals,
) (entry config.Server, finish func() error, err error) {
	entry = *p.server
	entry.Type, entry.Env, entry.Headers, entry.OAuth, entry.Sandbox = p.way.Transport, nil, nil, nil, false
	entry.Protocol = config.ProtocolLegacy
	if p.way.Modern {
		entry.Protocol = config.ProtocolModern
	}
	if p.way.Transport == config.TypeStdio {
		exe, err := ownExecutable()
		if err != nil {
			return entry, nil, err
		}
		notes := filepath.Join(v.dir, run.ID())
		entry.Command, entry.Dir = exe, v.dir
		entry.Args = []string{canaryCommand, run.ID(), strconv.FormatBool(p.way.Modern), notes}
		return entry, func() error {
			text, err := os.ReadFile(notes)
			if err != nil {
				return fmt.Errorf("reading what the fake server was sent: %w", err)
			}
			came.Note(text)
			return nil
		}, nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return entry, nil, fmt.Errorf("starting the fake server: %w", err)
	}
	server := &http.Server{
		Handler: canary.NewServer(run, p.way.Modern, came.Note).Handler(), ReadHeaderTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(v.log.Handler(), slog.LevelDebug),
	}
	go func() { _ = server.Serve(listener) }()
	entry.URL = "http://" + listener.Addr().String() + canary.PathHTTP
	if p.way.Transport == config.TypeSSE {
		entry.URL = "http://" + listener.Addr().String() + canary.PathSSE
	}
	return entry, server.Close, nil
}

// serveCanary is the fake server's process. It writes what it is sent to a file.
func serveCanary(run, modern, notes string) int {
	f, err := os.OpenFile(notes, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // its parent made the name
	if err == nil {
		note := func(data []byte) { _, _ = f.Write(append(slices.Clip(data), '\n')) }
		err = canary.NewServer(canary.RunOf(run), modern == strconv.FormatBool(true), note).ServeLines(os.Stdin, os.Stdout)
		_ = f.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "canary server:", lines(err.Error()))
		return exitFailed
	}
	return exitOK
}

// judgement is what a verdict was about, and whose it is.
type judgement struct{ server, scanner, phase, method string }

// takenAs are the modes in which scanners' words were taken, by what they were about.
type takenAs map[judgement]string

// Mode implements canary.Records.
func (m takenAs) Mode(server, scanner string, phase verdict.Phase, method string) string {
	return m[judgement{server, scanner, phase.String(), method}]
}

// readModes reads an audit record.
func readModes(path string) (takenAs, error) {
	r, err := audit.OpenReader(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what was attempted
	}
	defer r.Close()
	out := takenAs{}
	for line, err := range r.Lines() {
		if err != nil {
			return nil, err //nolint:wrapcheck // as above
		}
		e, err := line.Entry()
		if err != nil || e.Event != audit.Verdict {
			continue
		}
		j := judgement{e.Server, e.Scanner, e.Phase, e.Method}
		if out[j] != config.ModeObserve { // the weakest counts
			out[j] = e.Mode
		}
	}
	return out, nil
}
