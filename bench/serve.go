package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mcp-relay/relay/bench/internal/server"
)

// serve is the downstream server that stands behind every target.
func serve(args []string, std streams) error {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	var o server.HTTPOptions
	address := flags.String("http", "", "serve Streamable HTTP at this address (path /mcp) instead of stdio")
	flags.IntVar(&o.Tools, "tools", 20, "generated tools besides echo, blob and sleep")
	flags.StringVar(&o.Prefix, "prefix", "", "put before every tool name")
	flags.StringVar(&o.Era, "era", "dual", "dual, legacy (initialize only) or modern (2026-07-28 only)")
	flags.BoolVar(&o.SSE, "sse", false, "HTTP: answer with event streams")
	flags.BoolVar(&o.Sessions, "sessions", false, "HTTP: hand out and require Mcp-Session-Id")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *address == "" {
		return server.New(o.Options).ServeStdio(std.in, std.out)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", *address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	hs := &http.Server{Handler: server.Handler(o), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = hs.Close() })
	if err := hs.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
