package plugin

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/sandbox"
	"github.com/mcp-relay/relay/scanner/handshake"
)

// Defaults of a Spec.
const (
	defaultTimeout    = 5 * time.Second
	defaultConcurrent = 64
)

// Spec says which scanner to run and under which limits. The scanner's working
// directory is its run directory, so paths in Args, Env and Config are absolute.
type Spec struct {
	Name string   // in the relay's configuration; the only name that is believed
	Path string   // absolute path of the program; not for a bundled scanner
	Args []string // without argv[0]
	// Bundled names a scanner inside the relay's own executable, which is then
	// started with the arguments "__scanner" and this name.
	Bundled string
	// Executable replaces the relay's own executable for a bundled scanner.
	Executable string
	// SHA256 is the digest, in hexadecimal, that the program must have at every
	// start. Empty: any.
	SHA256 string
	// Config is the scanner's configuration, one JSON object; empty means none.
	Config json.RawMessage
	// MayRewrite lets the scanner write replacement text of its own.
	MayRewrite bool
	// Timeout bounds one scan, waiting included. Default: 5 s.
	Timeout time.Duration
	// MaxConcurrent bounds the scans in the scanner at a time; the scanner may
	// ask for less. Default: 64.
	MaxConcurrent int
	// Env holds further variables for the child as NAME=value. Not for secrets:
	// those belong in Config.
	Env []string
	// Sandbox says when the scanner is confined.
	Sandbox Sandbox
	// Needs is what the scanner is confined to; nil: not known before it is asked.
	Needs *Needs
	// Own is a directory that belongs to the program and that it may read and
	// execute when it is confined. Empty: the program alone.
	Own string
	// Limits hold for a confined process.
	Limits sandbox.Limits
	// Verify, when set, is asked before every start whether what belongs to the
	// program is what it should be. Its error is for good.
	Verify func() error
	// RunDir is the directory for run directories. It must be ours and closed to
	// others, and is made when missing. Default: one per user in the system's
	// directory for temporary files.
	RunDir string
}

// check fills in defaults and refuses what cannot work.
func (s *Spec) check() error {
	if s.Name == "" {
		return errors.New("a scanner needs a name")
	}
	if (s.Path == "") == (s.Bundled == "") {
		return fmt.Errorf("scanner %q: set either a path or a bundled name", s.Name)
	}
	if s.Path != "" && !filepath.IsAbs(s.Path) {
		return fmt.Errorf("scanner %q: the path must be absolute", s.Name)
	}
	s.SHA256 = strings.ToLower(s.SHA256)
	if raw, err := hex.DecodeString(s.SHA256); s.SHA256 != "" && (err != nil || len(raw) != 32) {
		return fmt.Errorf("scanner %q: sha256 must be 64 hexadecimal digits", s.Name)
	}
	if len(s.Config) > handshake.MaxConfig {
		return fmt.Errorf("scanner %q: the configuration is larger than 1 MiB", s.Name)
	}
	if s.MaxConcurrent < 0 || s.Timeout < 0 {
		return fmt.Errorf("scanner %q: limits cannot be negative", s.Name)
	}
	if s.MaxConcurrent == 0 {
		s.MaxConcurrent = defaultConcurrent
	}
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	return nil
}
