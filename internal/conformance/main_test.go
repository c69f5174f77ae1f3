package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/cli"
)

// What this test binary is when it runs under another name.
const (
	relayRole    = "relay"    // the relay itself
	driverRole   = "driver"   // the client of the suite's client scenarios
	browserRole  = "browser"  // the browser of a login
	pipeRole     = "pipe"     // a stdio server whose brain is in the test
	recorderRole = "recorder" // a scanner that writes down what it saw
	clearerRole  = "clearer"  // a scanner without which no message is clean
)

// programs is the directory with this test binary under the names above.
var programs string

// TestMain lets the test binary be every program that the tests start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "__") { // what the relay starts of itself
		os.Exit(cli.Main())
	}
	switch filepath.Base(os.Args[0]) {
	case relayRole:
		os.Exit(cli.Main())
	case driverRole:
		os.Exit(driverMain(os.Args[1:]))
	case browserRole:
		os.Exit(browserMain(os.Args[1:]))
	case pipeRole:
		os.Exit(pipeMain(os.Args[1:]))
	case recorderRole:
		recorderMain()
		return
	case clearerRole:
		clearerMain()
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	own, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if programs, err = os.MkdirTemp("", "relay-proof-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(programs) }()
	text, err := os.ReadFile(own)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The relay takes its own file for itself, under whatever name, so that what
	// it starts as a server or a scanner is a copy.
	copied := filepath.Join(programs, "copy")
	if err := os.WriteFile(copied, text, 0o700); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, name := range []string{pipeRole, recorderRole, clearerRole, browserRole} {
		if err := os.Link(copied, filepath.Join(programs, name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	for _, name := range []string{relayRole, driverRole} {
		if err := os.Symlink(own, filepath.Join(programs, name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

func program(role string) string { return filepath.Join(programs, role) }
