package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/sandbox"
)

// runnable reports everything in a valid configuration that this program
// cannot do, without starting anything. A server that cannot be reached is not
// among it: the others work.
func runnable(cfg *config.Config) error {
	var problems []error
	for i := range cfg.Relay.Scanners {
		s := &cfg.Relay.Scanners[i]
		if s.Bundled {
			continue
		}
		info, err := os.Stat(s.Plugin)
		switch {
		case err != nil && s.Installed != nil:
			problems = append(problems, fmt.Errorf("scanner %s: the files of %s are gone: relay plugin remove it and install it again",
				printable.String(s.Name), s.Installed.ID()))
		case err != nil:
			problems = append(problems, fmt.Errorf("scanner %s: the plugin %s cannot be found: correct its path",
				printable.String(s.Name), printable.String(s.Plugin)))
		case !info.Mode().IsRegular():
			problems = append(problems, fmt.Errorf("scanner %s: the plugin %s is not a file",
				printable.String(s.Name), printable.String(s.Plugin)))
		case runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0:
			problems = append(problems, fmt.Errorf("scanner %s: the plugin %s is not executable: run chmod +x on it",
				printable.String(s.Name), printable.String(s.Plugin)))
		}
	}
	for i := range cfg.Servers {
		if s := &cfg.Servers[i]; s.Sandbox && !s.Disabled && s.Type == config.TypeStdio && !sandbox.OpenAvailable() {
			problems = append(problems, fmt.Errorf("server %s: sandbox: true takes Linux 5.19 with Landlock: remove it here",
				printable.String(s.Name)))
		}
	}
	if h := &cfg.Relay.HTTP; h.Enabled && h.TLS != (config.TLS{}) {
		if _, err := tls.LoadX509KeyPair(h.TLS.Cert, h.TLS.Key); err != nil {
			problems = append(problems, fmt.Errorf("relay.http.tls: the certificate %s with the key %s cannot be used: %w",
				printable.String(h.TLS.Cert), printable.String(h.TLS.Key), err))
		}
	}
	return errors.Join(problems...)
}
