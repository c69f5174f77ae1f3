package scannertest

import (
	"context"
	"testing"
	"time"

	"github.com/mcp-relay/relay/scanner"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// patience is how long one check may take on a loaded machine. The relay's own
// deadlines are shorter and are the user's to set.
const patience = time.Minute

// Option tells the suite more about the scanner.
type Option func(*suite)

// Config is a configuration that the scanner accepts. Default: {}.
func Config(json string) Option { return func(s *suite) { s.config = json } }

// BadConfig is a configuration that the scanner refuses, and the pointers of all
// problems that it must report. Default: two unknown members, at least one
// problem.
func BadConfig(json string, pointers ...string) Option {
	return func(s *suite) { s.badConfig, s.badPointers = json, pointers }
}

// Contents are further contents to scan, such as those that the scanner finds
// something in.
func Contents(cs ...scanner.Content) Option {
	return func(s *suite) { s.contents = append(s.contents, cs...) }
}

// Run checks that s behaves as the relay expects of every scanner. It ends with
// draining s, which is of no use afterwards. A scan may fail with a
// [scanner.Error] that says why, for example where there is no upstream to ask.
func Run(t *testing.T, s scanner.Scanner, opts ...Option) {
	t.Helper()
	c := newSuite(t, func(t *testing.T) *Client { t.Helper(); return New(t, s) }, opts)
	t.Run("contract", c.contract)
	t.Run("content is not changed", func(t *testing.T) { c.leaveContent(t, s) })
	t.Run("cancelled", func(t *testing.T) { c.cancelled(t, s) })
	t.Run("drain", c.drain)
}

// RunProgram checks that a scanner's program behaves as the relay expects of
// every scanner, whatever language it is written in. It starts the program once
// for every check.
func RunProgram(t *testing.T, path string, args []string, opts ...Option) {
	t.Helper()
	c := newSuite(t, func(t *testing.T) *Client { t.Helper(); return Start(t, path, args...) }, opts)
	t.Run("contract", c.contract)
	t.Run("drain", c.drain)
	t.Run("ends with the relay", func(t *testing.T) {
		p := start(t, path, args)
		_ = p.lifeline.Close()
		select {
		case <-p.exited:
		case <-time.After(patience):
			t.Error("the program still runs after its standard input ended")
		}
	})
}

type suite struct {
	connect     func(t *testing.T) *Client // to a scanner that is not configured
	about       *scannerv1.DescribeResponse
	config      string
	badConfig   string
	badPointers []string
	samples     []sample
	contents    []scanner.Content
}

func newSuite(t *testing.T, connect func(t *testing.T) *Client, opts []Option) *suite {
	t.Helper()
	c := &suite{connect: connect, config: "{}", badConfig: `{"no such member":1,"nor this one":2}`}
	for _, opt := range opts {
		opt(c)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	about, err := connect(t).scans.Describe(ctx, &scannerv1.DescribeRequest{})
	if err != nil {
		t.Fatalf("describe: %v", errorFrom(err))
	}
	c.about, c.samples = about, samples(infoFrom(about))
	return c
}

// contract is what holds of every scanner, seen over the wire.
func (c *suite) contract(t *testing.T) {
	t.Run("describe", c.describe)
	t.Run("bad configuration", c.refuseConfig)
	t.Run("not configured", c.notConfigured)
	t.Run("unknown values", c.unknownValues)
	t.Run("contents", c.scanContents)
	t.Run("parallel", c.parallel)
	t.Run("batch", c.batch)
}

// start returns a client of the configured scanner.
func (c *suite) start(t *testing.T) (*Client, context.Context) {
	t.Helper()
	client, ctx := c.startUnconfigured(t)
	if err := client.Configure(ctx, c.config); err != nil {
		t.Fatalf("the scanner refuses its configuration (see scannertest.Config): %v", err)
	}
	return client, ctx
}

func (c *suite) startUnconfigured(t *testing.T) (*Client, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return c.connect(t), ctx
}

// plain is the least that the scanner judges.
func (c *suite) plain() scanner.Content { return c.samples[0].content() }
