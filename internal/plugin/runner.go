package plugin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	hclog "github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin/runner"

	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/sandbox"
)

// socketDirVariable tells a scanner where to listen.
const socketDirVariable = "PLUGIN_UNIX_SOCKET_DIR"

// child is a scanner's process as go-plugin wants to see one. go-plugin's own
// runner would hand the scanner the relay's stdin and environment, and parse its
// stderr in a way that a scanner can crash.
type child struct {
	ctx     context.Context //nolint:containedctx // go-plugin starts runners under a context of its own
	spec    *Spec
	program *program
	dir     *runDir
	warden  *process.Warden
	stderr  *stderr
	env     []string
	// certificate is the one certificate, in PEM, that the child may trust.
	certificate string

	// confinement is what the process is confined by; nil: nothing.
	confinement *sandbox.Confinement

	proc     *process.Process // nil until started
	silent   chan struct{}    // closed when stderr was read to its end
	greeting string
	refused  atomic.Pointer[error] // why the last attempt to connect failed
}

var _ runner.Runner = (*child)(nil)

// adopt is go-plugin's RunnerFunc: it takes over the variables of the handshake.
func (c *child) adopt(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
	extra := map[string]string{}
	for _, entries := range [][]string{c.spec.Env, cmd.Env} {
		for _, entry := range entries {
			if name, value, ok := strings.Cut(entry, "="); ok {
				extra[name] = value
			}
		}
	}
	extra[socketDirVariable] = c.dir.path
	extra[clientCertVariable] = c.certificate
	c.homely(extra)
	c.env = process.Environment(allowed(), extra, false)
	return c, nil
}

// allowed lists the variables of the relay that scanners get: what every child
// gets, and where to find the certificates to trust.
func allowed() []string {
	return append(process.DefaultAllow(), "SSL_CERT_FILE", "SSL_CERT_DIR")
}

// Start starts the process and reads its handshake, within the context of the
// generation, which is the stricter one.
func (c *child) Start(context.Context) error {
	ctx := c.ctx
	p, err := process.Start(process.Spec{
		Path: c.program.path, Args: c.program.args, Name: c.spec.Name, Dir: c.dir.path, Env: c.env, File: c.program.file,
		Around: c.around(),
	}, c.warden)
	if err != nil {
		return err
	}
	c.proc = p
	c.limit()
	go func() {
		c.stderr.follow(context.WithoutCancel(ctx), p.Stderr())
		_ = p.Stderr().Close()
		close(c.silent)
	}()
	line, err := c.readGreeting(ctx)
	if err != nil {
		p.Kill()
		return err
	}
	c.greeting = line
	return nil
}

// readGreeting returns the first line of stdout once it is found good. What
// follows it is read and thrown away for as long as the process lives.
func (c *child) readGreeting(ctx context.Context) (string, error) {
	out := c.proc.Stdout()
	stop := context.AfterFunc(ctx, c.proc.Kill)
	r := bufio.NewReaderSize(out, maxHandshake)
	line, err := r.ReadSlice('\n')
	if !stop() {
		return "", fmt.Errorf("no handshake: %w", ctx.Err())
	}
	switch {
	case err == nil:
		_, err = parseGreeting(string(line), c.dir.path)
	case errors.Is(err, bufio.ErrBufferFull):
		err = &HandshakeError{Reason: "the first line of its output is too long"}
	default:
		err = c.early(err)
	}
	text := string(line)
	go func() {
		_, _ = io.Copy(io.Discard, r) // ends with the process
		_ = out.Close()
	}()
	return text, err
}

// early explains the end of output before a handshake.
func (c *child) early(err error) error {
	select {
	case <-c.proc.Done():
	case <-time.After(time.Second):
	}
	if exit := c.proc.ExitError(); exit != nil {
		return fmt.Errorf("it ended before its handshake: %w", exit)
	}
	if errors.Is(err, io.EOF) {
		return &HandshakeError{Reason: "its output ended without one: is this program a scanner? try relay plugin describe"}
	}
	return fmt.Errorf("read the handshake: %w", err)
}

// lastWords ends the process and returns the end of what it wrote to stderr.
func (c *child) lastWords() string {
	if c.proc == nil {
		return ""
	}
	c.proc.Kill()
	select {
	case <-c.silent:
	case <-time.After(time.Second):
	}
	return c.stderr.last()
}

// Stdout returns the handshake, which is all that go-plugin needs of it.
func (c *child) Stdout() io.ReadCloser { return io.NopCloser(strings.NewReader(c.greeting)) }

// Stderr returns nothing: see the type stderr.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name returns the scanner's name in the configuration.
func (c *child) Name() string { return c.spec.Name }

// ID identifies the process.
func (c *child) ID() string { return c.spec.Name }

// Diagnose adds nothing: a failed start carries the end of stderr already.
func (c *child) Diagnose(context.Context) string { return "" }

// Wait waits for the end of the process.
func (c *child) Wait(context.Context) error {
	<-c.proc.Done()
	return nil
}

// Kill ends the process and its group.
func (c *child) Kill(context.Context) error {
	if c.proc != nil {
		c.proc.Kill()
	}
	return nil
}

// PluginToHost returns the address: scanners run where the relay runs.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin returns the address: scanners run where the relay runs.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
