package cli

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
)

// openBrowser opens a page with a program, or with what the system has for it.
// There is no shell: the address is one argument, and it was checked to be an
// https address, or one on this machine, of harmless characters.
func openBrowser(ctx context.Context, program, address string) error {
	argv := browserCommand(runtime.GOOS, program, address)
	// The browser stays open when the login is over.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), argv[0], argv[1:]...) //nolint:gosec // a program of the user, without a shell
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting it: %w", err)
	}
	go func() { _ = cmd.Wait() }() // how it ends does not matter
	return nil
}

// browserCommand returns the command that opens a page.
func browserCommand(system, program, address string) []string {
	switch {
	case program != "":
		return []string{program, address}
	case system == "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", address}
	case system == "darwin":
		return []string{"/usr/bin/open", address}
	default:
		return []string{"xdg-open", address}
	}
}
