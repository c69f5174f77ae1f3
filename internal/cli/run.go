package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/front"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/principal"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/telemetry"
)

// runOptions are the flags of run.
type runOptions struct {
	std    streams
	config string
	audit  string
	listen string
	auth   string
	level  string
	format string
	// threshold is the level of the logger that load made.
	threshold *slog.LevelVar
	// run is replaced in tests of the flags.
	run func(ctx context.Context, o *runOptions) error
}

func (o *runOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	f.StringVar(&o.audit, "audit", "", `audit file, or "-" for standard error`)
	f.StringVar(&o.listen, "listen", "", "serve HTTP clients here: 127.0.0.1:8000, or unix:/path/of/socket")
	f.StringVar(&o.auth, "auth", "", "token (default) or none: whether HTTP clients have to show a token")
	f.StringVar(&o.level, "log-level", "", "debug, info, warn or error")
	f.StringVar(&o.format, "log-format", "text", "text or json")
}

func newRunCommand(std streams) *cobra.Command {
	o := &runOptions{std: std, run: runRelay}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve MCP clients: the one that started it, or with --listen any number over HTTP",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), o) },
	}
	o.flags(cmd)
	return cmd
}

// shutdownGrace is how long calls in flight may take after the client closed
// its side.
const shutdownGrace = 10 * time.Second

// trafficGC is the garbage collector's percentage once the relay serves.
const trafficGC = 300

// runRelay serves clients until they leave or ctx ends.
func runRelay(ctx context.Context, o *runOptions) error {
	cfg, log, err := load(o)
	if err != nil {
		return err
	}
	if err := runnable(cfg); err != nil {
		return invalid{err}
	}
	a, err := assemble(ctx, cfg, log, o.std.err)
	if err != nil {
		return err
	}
	defer a.close()
	a.remember(cfg)
	stopFollowing := a.followFile(ctx, o, cfg)
	defer stopFollowing()
	// Clients are answered at once; what their calls need is waited for when
	// they come. A scanner that can never work ends the relay.
	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	unusable := make(chan error, 1)
	go func() {
		err := a.ready(serving)
		unusable <- err
		if err != nil {
			stop(err)
		}
		// Messages come and go; what stays is small. Collecting less often costs
		// memory only while there is traffic.
		debug.SetGCPercent(trafficGC)
	}()
	if cfg.Relay.HTTP.Enabled {
		err = a.serveHTTP(serving, cfg)
	} else {
		err = a.serveStdio(serving, cfg, o.std)
	}
	if errors.Is(err, context.Canceled) {
		return nil // asked to stop
	}
	if err == nil {
		// A client that leaves early still learns that nothing could work.
		select {
		case err = <-unusable:
		case <-time.After(farewell):
		}
	}
	return err
}

// serveStdio serves the one client that started the relay.
func (a *assembly) serveStdio(serving context.Context, cfg *config.Config, std streams) error {
	core := a.soleCore()
	defer core.Close()
	sink := front.NewStdioSink(std.out)
	// The client's requests outlive the signal that ends the relay for a moment.
	client := core.Connect(context.WithoutCancel(serving), peer.Hello{Session: rand.Text(), Principal: principal.Local}, sink)
	core.Start(context.WithoutCancel(serving))
	stdio := front.Stdio{In: std.in, MaxMessage: cfg.Relay.MaxMessage, Shape: protocol.Message()}
	err := stdio.Serve(serving, client)

	// A signal ends the wait for calls: who sends one does not wait long either.
	draining, enough := context.WithTimeout(serving, shutdownGrace)
	if derr := client.Drain(draining); derr != nil {
		a.log.Warn("calls were still in flight when the client left", slog.Any("error", derr))
	}
	enough()
	client.Close()
	grace, cancel := context.WithTimeout(context.WithoutCancel(serving), shutdownGrace)
	defer cancel()
	if cerr := sink.Close(grace); cerr != nil {
		a.log.Debug("the client did not take everything", slog.Any("error", cerr))
	}
	return err //nolint:wrapcheck // it says what happened to the client's side
}

// farewell is how long a client that left at once is waited with for word of
// scanners that cannot work.
const farewell = time.Second

// load reads the configuration and makes the logger that it asks for.
func load(o *runOptions) (*config.Config, *slog.Logger, error) {
	cfg, err := o.read(o.config)
	if err != nil {
		return nil, nil, invalid{err}
	}
	var log *slog.Logger
	log, o.threshold, err = telemetry.NewAdjustable(o.std.err, telemetry.Format(o.format), cfg.Relay.LogLevel)
	if err != nil {
		return nil, nil, invalid{fmt.Errorf("the flags of the log: %w", err)}
	}
	// Libraries write to the standard logger, and may quote a peer there.
	slog.SetDefault(log)
	slog.SetLogLoggerLevel(slog.LevelDebug)
	warn(log, cfg.Warnings)
	return cfg, log, nil
}

// read reads the configuration of a path, with what the flags say about it.
func (o *runOptions) read(path string) (*config.Config, error) {
	cfg, err := config.Load(configOptions(path))
	if err != nil {
		return nil, err //nolint:wrapcheck // it says where and what
	}
	if err := cfg.ApplyListen(o.listen, o.auth); err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	if o.audit != "" {
		cfg.Relay.Audit.Path = o.audit
	}
	if o.level != "" {
		cfg.Relay.LogLevel = o.level
	}
	return cfg, nil
}

// warn logs remarks about the configuration.
func warn(log *slog.Logger, warnings []config.Diagnostic) {
	for _, w := range warnings {
		hint := w.Hint
		w.Hint = "" // String puts it on a line of its own
		log.Warn("configuration", slog.String("detail", w.String()), slog.String("hint", hint))
	}
}
