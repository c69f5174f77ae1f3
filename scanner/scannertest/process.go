package scannertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"

	"github.com/mcp-relay/relay/scanner/handshake"
)

// Start starts a scanner's program as the relay does, with AutoMTLS, an empty
// environment and a pipe as its standard input, and returns a client for it. The
// program ends with the test. It may be written in any language.
func Start(tb testing.TB, path string, args ...string) *Client {
	tb.Helper()
	return start(tb, path, args).client
}

// program is a running scanner.
type program struct {
	client   *Client
	lifeline io.Closer     // its standard input
	exited   chan struct{} // closed when the process is gone
}

func start(tb testing.TB, path string, args []string) *program {
	tb.Helper()
	var child *process
	host := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  handshake.ProtocolVersion,
			MagicCookieKey:   handshake.CookieKey,
			MagicCookieValue: handshake.CookieValue,
		},
		Plugins:          plugin.PluginSet{handshake.PluginKey: dialer{}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     patience,
		Logger:           hclog.NewNullLogger(),
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(handshake.MaxMessage)),
		},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			var err error
			child, err = newProcess(path, args, cmd.Env)
			return child, err
		},
	})
	tb.Cleanup(host.Kill)
	protocol, err := host.Client()
	if err != nil {
		tb.Fatalf("start %s: %v", path, err)
	}
	raw, err := protocol.Dispense(handshake.PluginKey)
	if err != nil {
		tb.Fatalf("connect to %s: %v", path, err)
	}
	conn, ok := raw.(*grpc.ClientConn)
	if !ok {
		tb.Fatalf("connect to %s: got a %T", path, raw)
	}
	return &program{client: newClient(conn), lifeline: child.stdin, exited: child.exited}
}

// dialer hands go-plugin's connection out as it is.
type dialer struct{ plugin.NetRPCUnsupportedPlugin }

var _ plugin.GRPCPlugin = dialer{}

// GRPCClient returns the connection.
func (dialer) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// GRPCServer is the program's side.
func (dialer) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("package scannertest calls scanners and does not serve them")
}

// process runs a program for go-plugin. go-plugin's own runner would give the
// program the standard input of the test.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	stderr io.ReadCloser
	exited chan struct{}
}

var _ runner.Runner = (*process)(nil)

func newProcess(path string, args, env []string) (*process, error) {
	//nolint:gosec,noctx // a test names the program, and go-plugin ends it
	p := &process{cmd: exec.Command(path, args...), exited: make(chan struct{})}
	p.cmd.Env = env
	var errs [3]error
	p.stdin, errs[0] = p.cmd.StdinPipe()
	p.stdout, errs[1] = p.cmd.StdoutPipe()
	p.stderr, errs[2] = p.cmd.StderrPipe()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("make pipes: %w", err)
	}
	return p, nil
}

// Start starts the program.
func (p *process) Start(context.Context) error { return p.cmd.Start() }

// Wait waits for the end of the program.
func (p *process) Wait(context.Context) error {
	defer close(p.exited)
	return p.cmd.Wait()
}

// Kill ends the program.
func (p *process) Kill(context.Context) error {
	if p.cmd.Process == nil {
		return nil
	}
	_ = p.cmd.Process.Kill() // it may be gone already
	select {
	case <-p.exited:
		return nil
	case <-time.After(patience):
		return errors.New("the program cannot be killed")
	}
}

// Diagnose has nothing to add.
func (*process) Diagnose(context.Context) string {
	return "run the program by hand to see why it does not start"
}

// Stdout carries the handshake.
func (p *process) Stdout() io.ReadCloser { return p.stdout }

// Stderr carries logs.
func (p *process) Stderr() io.ReadCloser { return p.stderr }

// Name returns the path of the program.
func (p *process) Name() string { return p.cmd.Path }

// ID returns the process id.
func (p *process) ID() string { return strconv.Itoa(p.cmd.Process.Pid) }

// PluginToHost changes nothing: both live on one machine.
func (*process) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin changes nothing: both live on one machine.
func (*process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
