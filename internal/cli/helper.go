package cli

import (
	"fmt"
	"os"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/scanner"
)

// The hidden sub-commands with which the program starts itself. They are
// handled before the command line is built, because each is a process that
// every relay pays for.
const (
	wardenCommand  = "__warden"
	scannerCommand = "__scanner" // package plugin starts bundled scanners with it
	serverCommand  = "__demo-server"
	canaryCommand  = "__canary-server"
)

// helper runs a hidden sub-command. ok is false when args name none.
func helper(args []string) (code int, ok bool) {
	if len(args) == 0 {
		return 0, false
	}
	switch {
	case args[0] == wardenCommand && len(args) == 1:
		if err := process.RunWarden(os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, "relay:", err)
			return exitFailed, true
		}
		return exitOK, true
	case args[0] == scannerCommand && len(args) == 2:
		s, known := bundled.New(args[1])
		if !known {
			fmt.Fprintln(os.Stderr, "relay: there is no such bundled scanner")
			return exitInvalid, true
		}
		scanner.Serve(s)
		return exitOK, true
	case args[0] == serverCommand && len(args) == 2:
		return serveDemo(args[1]), true
	case args[0] == canaryCommand && len(args) == 4:
		return serveCanary(args[1], args[2], args[3]), true
	default:
		return 0, false
	}
}
