// Command airstest serves the emulator of the Prisma AIRS scan API, so that
// the AIRS path of the relay can be tried without an account.
//
//	go run ./plugins/panscanner/airstest/cmd/airstest --listen 127.0.0.1:9801
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "airstest:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	fs := flag.NewFlagSet("airstest", flag.ContinueOnError)
	fs.SetOutput(out)
	listen := fs.String("listen", "127.0.0.1:9801", "address to serve on")
	path := fs.String("config", "", "configuration file (JSON): keys, profiles, limits, delays")
	fault := fs.String("fault", "", "misbehave in every answer; see below")
	fast := fs.Bool("fast", false, "answer at once and without a rate limit")
	seed := fs.Uint64("seed", 1, "seed of ids and delays")
	tls := fs.Bool("tls", false, "serve HTTPS with a certificate made at start; see --write-cert")
	cert := fs.String("write-cert", "", "with --tls: write the certificate to this file")
	fs.Usage = func() {
		fmt.Fprintf(out, "usage: airstest [flags]\n\n")
		fs.PrintDefaults()
		fmt.Fprintf(out, "\nfaults, for --fault or the request header %s:\n%s", airstest.HeaderFault, airstest.FaultHelp())
	}
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("read flags: %w", err)
	}
	config := airstest.Config{
		Seed: *seed, Latency: airstest.ServiceLatency(), Rate: airstest.ServiceRate(), AsyncDelay: airstest.Duration(time.Second),
	}
	if *path != "" {
		var err error
		if config, err = readConfig(*path); err != nil {
			return err
		}
	}
	config.TLS = config.TLS || *tls
	if *fault != "" {
		config.Fault = *fault
	}
	if *fast {
		config.Latency, config.Rate = airstest.Latency{}, airstest.Rate{}
	}
	return serve(*listen, *cert, config, out)
}

func readConfig(path string) (airstest.Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return airstest.Config{}, fmt.Errorf("open configuration: %w", err)
	}
	defer f.Close()
	return airstest.ReadConfig(f)
}

// serve runs until interrupted and prints one line per request, without content.
func serve(listen, cert string, config airstest.Config, out io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s, err := airstest.Start(listen, config)
	if err != nil {
		return err
	}
	defer s.Close()
	if cert != "" && s.CertPEM != nil {
		if err := os.WriteFile(cert, s.CertPEM, 0o600); err != nil {
			return fmt.Errorf("write certificate: %w", err)
		}
	}
	fmt.Fprintf(out, "emulator of the Prisma AIRS scan API on %s\n", s.URL)
	fmt.Fprintf(out, "its detectors are a few regular expressions: results say nothing about what Prisma AIRS detects\n")
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
			for _, r := range s.Take() {
				fmt.Fprintf(out, "%s %s %s %d bytes -> %d\n", r.Time.Format(time.TimeOnly), r.Method, r.Path, len(r.Body), r.Status)
			}
		}
	}
}
