package scannertest

import (
	"os"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/conformance"
)

// Client calls one scanner as the relay does. It may be used concurrently.
type Client = conformance.Client

// New serves s within the process and returns a client for it. It ends with the
// test. Several clients of one scanner do not share what has been configured or
// drained, apart from what the scanner itself keeps.
func New(tb testing.TB, s scanner.Scanner) *Client {
	tb.Helper()
	client, stop, err := conformance.Serve(s)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return client
}

// Start starts a scanner's program as the relay does, with AutoMTLS, an
// environment of its own and a pipe as its standard input, and returns a client
// for it. The program ends with the test. It may be written in any language.
func Start(tb testing.TB, path string, args ...string) *Client {
	tb.Helper()
	client, stop, err := conformance.Start(tb.Context(), path, args)
	if err != nil {
		tb.Fatalf("start %s: %v", path, err)
	}
	tb.Cleanup(stop)
	return client
}

// CheckVerdict tells what the relay would refuse about a verdict on a content,
// all of it at once; nil when nothing.
func CheckVerdict(c scanner.Content, v scanner.Verdict) error {
	return conformance.CheckVerdict(c, v)
}

// Option tells the suite more about the scanner.
type Option func(*conformance.Options)

// Config is a configuration that the scanner accepts. Default: {}.
func Config(json string) Option { return func(o *conformance.Options) { o.Config = json } }

// BadConfig is a configuration that the scanner refuses, and the pointers of all
// problems that it must report. Default: two unknown members, at least one
// problem.
func BadConfig(json string, pointers ...string) Option {
	return func(o *conformance.Options) { o.BadConfig, o.BadPointers = json, pointers }
}

// Contents are further contents to scan, such as those that the scanner finds
// something in. Without any, what is expected of findings may go untested.
func Contents(cs ...scanner.Content) Option {
	return func(o *conformance.Options) { o.Contents = append(o.Contents, cs...) }
}

// Crash is a content on which the scanner fails in a way that nobody foresaw, by
// a panic for example. It must cost that scan and nothing else.
func Crash(c scanner.Content) Option {
	return func(o *conformance.Options) { o.Crash = &c }
}

// Run checks that s behaves as the relay expects of every scanner. It ends with
// draining s, which is of no use afterwards. A scan may fail with a
// [scanner.Error] that says why, for example where there is no upstream to ask.
func Run(t *testing.T, s scanner.Scanner, opts ...Option) {
	t.Helper()
	for r := range conformance.Scanner(t.Context(), s, options(opts)) {
		report(t, r)
	}
}

// RunProgram checks that a scanner's program behaves as the relay expects of
// every scanner, whatever language it is written in. It starts the program many
// times.
func RunProgram(t *testing.T, path string, args []string, opts ...Option) {
	t.Helper()
	for r := range conformance.Program(t.Context(), path, args, options(opts)) {
		report(t, r)
	}
}

func options(opts []Option) conformance.Options {
	var o conformance.Options
	for _, opt := range opts {
		opt(&o)
	}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" { // of `go build -cover`
		o.Env = append(o.Env, "GOCOVERDIR="+dir)
	}
	return o
}

func report(t *testing.T, r conformance.Result) {
	t.Helper()
	t.Run(r.Check, func(t *testing.T) {
		t.Helper()
		switch happened := strings.Join(r.Happened, "\n"); r.Status {
		case conformance.Fail:
			t.Errorf("%s\nexpected: %s\nsee %s", happened, r.Expected, r.Section)
		case conformance.Skip:
			t.Skip(happened)
		case conformance.Pass:
		}
	})
}
