package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/sandbox"
	"github.com/mcp-relay/relay/scanner/conformance"
)

// checkCage says what a scanner that is checked may use.
type checkCage struct {
	off     bool
	network bool
	allow   []string
}

func (g *checkCage) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&g.off, "no-sandbox", false, "do not confine the scanner")
	flags.BoolVar(&g.network, "network", false, "let the scanner use the network")
	flags.StringArrayVar(&g.allow, "allow", nil, "a `path` that the scanner may read and execute; may be repeated")
}

// close has the program at path started confined, as far as the system can, and
// says in words how far.
func (g *checkCage) close(path string, opts *conformance.Options) (confined string, err error) {
	if g.off {
		return "not confined", nil
	}
	profile := sandbox.Closed{Network: g.network}
	for _, name := range append([]string{path}, g.allow...) {
		own, err := filepath.EvalSymlinks(name)
		if err == nil {
			own, err = filepath.Abs(own)
		}
		if err != nil {
			return "", invalid{fmt.Errorf("find what the scanner may read: %w", err)}
		}
		profile.Programs = append(profile.Programs, own)
	}
	if script(path) {
		profile.Programs = append(profile.Programs, filepath.Dir(profile.Programs[0]))
	}
	if g.network {
		profile.Files = sandbox.NetworkFiles()
	}
	c, err := profile.Prepare()
	if errors.Is(err, sandbox.ErrUnavailable) {
		return "not confined: this system cannot", nil
	}
	if err != nil {
		return "", fmt.Errorf("prepare the sandbox: %w", err)
	}
	confined = sandbox.Summary(c.Gaps())
	c.Close()
	if g.network {
		confined += ", with network"
	}
	opts.Around = func(dir string, start func()) error {
		own := profile
		own.Scratch = dir // each process has its own
		c, err := own.Prepare()
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Run(start)
	}
	return confined, nil
}

// script reports whether a program is a text for an interpreter.
func script(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, 2)
	_, err = io.ReadFull(f, magic)
	return err == nil && bytes.Equal(magic, []byte("#!"))
}
