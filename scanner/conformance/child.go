package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/mcp-relay/relay/scanner/handshake"
)

const (
	startTimeout = 10 * time.Second // as the relay's
	killTimeout  = 10 * time.Second
	maxGreeting  = 16 << 10
	maxKept      = 1 << 20 // bytes of each output stream
)

// program is what is started, again and again.
type program struct {
	path string
	args []string
	opts *Options
}

// child is one process of a program.
type child struct {
	cmd      *exec.Cmd
	dir      string // its own, removed with it
	sockets  string // where it must listen
	stdin    io.WriteCloser
	out, err *record
	greeting string // its first line
	identity *identity
	exited   chan struct{}
	exit     error  // how it ended; after exited is closed
	ended    func() // tells whoever was told of the start; may be called again
}

// launch starts a process without waiting for anything. Without a cookie it is
// started as if by hand.
func (p *program) launch(cookie bool) (*child, error) {
	dir, err := os.MkdirTemp("", "mcpcheck")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the scanner: %w", err)
	}
	c := &child{dir: dir, sockets: filepath.Join(dir, "s"), out: newRecord(), err: newRecord(), exited: make(chan struct{})}
	if err := c.prepare(p, cookie); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return c, nil
}

func (c *child) prepare(p *program, cookie bool) error {
	home := filepath.Join(c.dir, "home")
	temporary := filepath.Join(c.dir, "tmp")
	for _, dir := range []string{c.sockets, home, temporary} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return fmt.Errorf("make a directory for the scanner: %w", err)
		}
	}
	var err error
	if c.identity, err = newIdentity(); err != nil {
		return err
	}
	c.cmd = exec.Command(p.path, p.args...) //nolint:gosec,noctx // the caller names the program, and kill ends it
	c.cmd.Dir = c.dir
	c.cmd.Env = append(environment(home, temporary), p.opts.Env...)
	c.cmd.Env = append(c.cmd.Env, "PLUGIN_PROTOCOL_VERSIONS=1", "PLUGIN_MIN_PORT=10000", "PLUGIN_MAX_PORT=25000",
		"PLUGIN_UNIX_SOCKET_DIR="+c.sockets, "PLUGIN_CLIENT_CERT="+c.identity.pem)
	if cookie {
		c.cmd.Env = append(c.cmd.Env, handshake.CookieKey+"="+handshake.CookieValue)
	}
	ownGroup(c.cmd)
	// Files, not the pipes of exec: waiting for the process must not wait for
	// what it left behind and what still holds its output.
	stdin, errIn := c.cmd.StdinPipe()
	out, outChild, errOut := os.Pipe()
	log, logChild, errLog := os.Pipe()
	c.stdin, c.cmd.Stdout, c.cmd.Stderr = stdin, outChild, logChild
	err = errors.Join(errIn, errOut, errLog)
	if err == nil {
		err = c.start(p.opts.Around)
	}
	for _, f := range []*os.File{outChild, logChild} {
		if f != nil {
			f.Close()
		}
	}
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	c.ended = func() {}
	if p.opts.Started != nil {
		// Before anybody waits for the process: its id is surely its own.
		c.ended = sync.OnceFunc(p.opts.Started(c.cmd.Process.Pid))
	}
	go c.out.follow(out)
	go c.err.follow(log)
	go func() {
		c.exit = c.cmd.Wait()
		close(c.exited)
	}()
	return nil
}

// start starts the process, confined if need be.
func (c *child) start(around func(string, func()) error) error {
	if around == nil {
		return c.cmd.Start()
	}
	var err error
	return errors.Join(around(c.dir, func() { err = c.cmd.Start() }), err)
}

// environment is what a scanner gets beside the variables of the handshake.
func environment(home, temporary string) []string {
	env := []string{"HOME=" + home, "TMPDIR=" + temporary, "TEMP=" + temporary, "TMP=" + temporary, "USERPROFILE=" + home}
	for _, name := range []string{"PATH", "LANG", "LC_ALL", "TZ", "SystemRoot", "SystemDrive", "PATHEXT", "ComSpec", "windir"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// start starts a process and waits for its handshake line.
func (p *program) start(ctx context.Context) (*child, error) {
	c, err := p.launch(true)
	if err != nil {
		return nil, err
	}
	select {
	case <-c.out.begun:
		if c.greeting = c.out.line(); c.greeting != "" {
			return c, nil
		}
		select { // its output has ended: it is about to end itself
		case <-c.exited:
		case <-time.After(time.Second):
		}
		err = fmt.Errorf("its standard output ended without a handshake line%s", c.lastWords())
	case <-time.After(p.opts.sizes.start):
		err = fmt.Errorf("it printed no handshake line within %v%s", p.opts.sizes.start, c.lastWords())
	case <-ctx.Done():
		err = ctx.Err()
	}
	c.kill()
	return nil, err
}

// dial connects to a process as the relay does.
func (c *child) dial() (*grpc.ClientConn, error) {
	g, err := parseGreeting(c.greeting)
	if err != nil {
		return nil, err
	}
	return c.dialWith(g, credentials.NewTLS(c.identity.clientConfig(g.certificate)))
}

func (c *child) dialWith(g greeting, security credentials.TransportCredentials) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///scanner",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, g.network, g.address)
		}),
		grpc.WithTransportCredentials(security),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(2*handshake.MaxMessage)),
		grpc.WithIdleTimeout(0), grpc.WithDisableRetry(), grpc.WithDisableServiceConfig())
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// empty reads and drops what go-plugin's servers offer as the scanner's output:
// nobody else does, and a scanner that prints much would stop. Others do not know
// the call.
func empty(conn *grpc.ClientConn) {
	stream, err := conn.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true}, "/plugin.GRPCStdio/StreamStdio")
	if err != nil || stream.SendMsg(&emptypb.Empty{}) != nil || stream.CloseSend() != nil {
		return
	}
	for stream.RecvMsg(&emptypb.Empty{}) == nil { //nolint:revive // what comes is dropped
	}
}

// kill ends the process and its group, and removes its directory.
func (c *child) kill() {
	_ = c.stdin.Close()
	killGroup(c.cmd.Process)
	select {
	case <-c.exited:
	case <-time.After(killTimeout): // nothing more can be done from here
	}
	killGroup(c.cmd.Process) // what it started in its last moment
	c.ended()
	_ = os.RemoveAll(c.dir)
}

// gone reports whether the process ends within d.
func (c *child) gone(d time.Duration) bool {
	select {
	case <-c.exited:
		return true
	case <-time.After(d):
		return false
	}
}

// lastWords describes the end of a process: its status, and the end of what it
// wrote to standard error.
func (c *child) lastWords() string {
	var b strings.Builder
	select {
	case <-c.exited:
		select { // what is in the pipe; a process that it left may hold the end
		case <-c.err.ended:
		case <-time.After(time.Second):
		}
		if c.exit != nil {
			fmt.Fprintf(&b, " (%v)", c.exit)
		} else {
			b.WriteString(" (exit status 0)")
		}
	default:
	}
	if text := strings.TrimSpace(string(c.err.last(600))); text != "" {
		b.WriteString("; its standard error ends with: " + text)
	}
	return b.String()
}
