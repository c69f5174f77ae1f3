package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/sandbox"
)

// Sandbox says when a scanner is confined to what it needs.
type Sandbox uint8

// The choices. SandboxAuto confines a scanner whose needs are known, or that
// says that it is self-contained, as far as the system can; SandboxAlways
// confines whatever it is, from the first instruction on, or does not start it.
const (
	SandboxAuto Sandbox = iota
	SandboxAlways
	SandboxNever
)

// Needs is what a scanner needs beside its own program, its run directory and
// the libraries of the system. The zero value is for one that is self-contained.
type Needs struct {
	Network bool
	Files   []string // absolute paths that it reads
}

// SandboxError says that a scanner could not be confined as it has to be.
type SandboxError struct{ Err error }

// Error says what to do.
func (e *SandboxError) Error() string {
	return fmt.Sprintf("it cannot be confined here: %v; set sandbox: auto to run it as far confined as this system can", e.Err)
}

// Unwrap returns the reason.
func (e *SandboxError) Unwrap() error { return e.Err }

// What Info.Sandbox says of a scanner that is not confined.
const (
	unconfined    = "not confined"
	unconfineable = "not confined: this system cannot"
)

// vouched remembers which programs said that they are self-contained, by digest.
type vouched struct {
	mu      sync.Mutex
	digests []string
}

func (v *vouched) add(digest string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Contains(v.digests, digest) {
		v.digests = append(v.digests, digest)
	}
}

// has reports whether the program is one of them. It is hashed only if there are any.
func (v *vouched) has(p *program) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.digests) == 0 {
		return false
	}
	digest, err := p.sum()
	return err == nil && slices.Contains(v.digests, digest)
}

// newGeneration starts a scanner's process and asks what it is. It is not
// configured yet. A scanner that turns out to be self-contained is started once
// more, confined.
func newGeneration(ctx context.Context, spec *Spec, said *vouched, w *process.Warden, log *slog.Logger) (*generation, error) {
	g, err := startGeneration(ctx, spec, said, w, log)
	if err != nil || g.info.Sandbox != unconfined || spec.Sandbox == SandboxNever || !g.info.SelfContained || !sandbox.Available() {
		return g, err
	}
	said.add(g.digest)
	g.kill()
	if g, err = startGeneration(ctx, spec, said, w, log); err != nil {
		err = fmt.Errorf("it says that it is self-contained and does not start confined; set sandbox: never to run it without: %w", err)
	}
	return g, err
}

// needs returns what the scanner is confined to, or nil when it is not.
func (s *Spec) needs(said *vouched, p *program) *Needs {
	switch {
	case s.Sandbox == SandboxNever:
		return nil
	case s.Needs != nil:
		return s.Needs
	case s.Sandbox == SandboxAlways || said.has(p):
		return &Needs{}
	default:
		return nil
	}
}

// confine prepares the confinement of a process, or none, and says in words
// which it is.
func confine(s *Spec, n *Needs, p *program, dir string) (*sandbox.Confinement, string, error) {
	if n == nil {
		return nil, unconfined, nil
	}
	own := []string{p.path}
	if s.Own != "" {
		own = append(own, s.Own)
	}
	c, err := sandbox.Closed{Programs: own, Files: n.Files, Scratch: dir, Network: n.Network}.Prepare()
	switch {
	case err == nil && s.Sandbox == SandboxAlways && lacking(c.Gaps(), n.Network):
		gaps := sandbox.Summary(c.Gaps())
		c.Close()
		return nil, "", &SandboxError{Err: errors.New(gaps)}
	case err == nil:
		text := sandbox.Summary(c.Gaps())
		if n.Network {
			text += ", with network"
		}
		return c, text, nil
	case s.Sandbox == SandboxAlways:
		return nil, "", &SandboxError{Err: err}
	case errors.Is(err, sandbox.ErrUnavailable):
		return nil, unconfineable, nil
	default:
		return nil, "", fmt.Errorf("prepare the sandbox: %w", err)
	}
}

// lacking reports whether what cannot be enforced is what a sandbox is for.
func lacking(gaps []sandbox.Gap, network bool) bool {
	return slices.Contains(gaps, sandbox.GapFiles) || !network && slices.Contains(gaps, sandbox.GapNetwork)
}

// homely adds to a confined process' variables those that lead it to its own
// directory, where it may write.
func (c *child) homely(extra map[string]string) {
	if c.confinement == nil {
		return
	}
	for _, name := range []string{"HOME", "TMPDIR", "TEMP", "TMP"} {
		extra[name] = c.dir.path
	}
	// It cannot read how many processors it may use, where that is limited.
	if c.spec.Bundled != "" && runtime.GOMAXPROCS(0) != runtime.NumCPU() {
		extra["GOMAXPROCS"] = strconv.Itoa(runtime.GOMAXPROCS(0))
	}
}

// around returns what starts the process inside its confinement.
func (c *child) around() func(func()) error {
	if c.confinement == nil {
		return nil
	}
	return c.confinement.Run
}

// limit bounds what a confined process may take.
func (c *child) limit() {
	if c.confinement == nil {
		return
	}
	if err := sandbox.Limit(c.proc.PID(), c.spec.Limits); err != nil {
		c.stderr.log.Debug("scanner is not limited", "error", err)
	}
}
