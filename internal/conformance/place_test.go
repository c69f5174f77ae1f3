package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// place is where the suite's client finds a server.
type place struct {
	url  string
	said func() string // what the relay wrote to standard error
}

// newPlace starts the reference server and, unless c is direct, a relay before
// it.
func newPlace(t *testing.T, s *suite, c column) place {
	t.Helper()
	server := object("command", s.reference, "protocol", c.server)
	if c.through != overPipe {
		address := freeAddress(t)
		stateless := "-stateless=" + map[string]string{modern: "true", legacy: "false"}[c.server]
		background(t, exec.Command(s.reference, "-http", address, stateless))
		awaitAddress(t, address)
		if c.through == direct {
			return place{url: "http://" + address + "/", said: func() string { return "" }}
		}
		server = object("type", "http", "url", "http://"+address+"/", "protocol", c.server)
	}
	address := freeAddress(t)
	relay := startRelay(t, object("mcpServers", object("reference", server), "relay", object(
		"naming", "bare", "http", object("listen", address, "auth", "none"), "scanners", []any{object("name", "noop", "plugin", "noop")},
	)))
	awaitAddress(t, address)
	return place{url: "http://" + address + "/mcp", said: relay.stderr.String}
}

// object makes a JSON object of names and values.
func object(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if key, ok := pairs[i].(string); ok {
			m[key] = pairs[i+1]
		}
	}
	return m
}

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// farewell is how long a program may take to end: the relay waits ten seconds
// for calls in flight, and some here are never answered.
const farewell = 30 * time.Second

// background runs a program until the test ends and returns what it writes to
// standard error.
func background(t *testing.T, cmd *exec.Cmd) *buffer {
	t.Helper()
	said := &buffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(farewell):
			t.Errorf("%s does not end when it is told to", filepath.Base(cmd.Path))
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	return said
}

// freeAddress returns an address on the loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// awaitAddress waits until somebody listens.
func awaitAddress(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("nobody listens on %s: %v", address, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// relayProcess is a relay that runs.
type relayProcess struct {
	cmd    *exec.Cmd
	dir    string // its home, with its configuration and its audit file
	stderr *buffer
}

// relayCommand returns the command that runs a relay with a configuration, in a
// home of its own.
func relayCommand(t *testing.T, config map[string]any, args ...string) *relayProcess {
	t.Helper()
	dir := t.TempDir()
	// A socket's path must be short.
	run, err := os.MkdirTemp("", "r") //nolint:usetesting // its directories have long names
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	return relayIn(t.Fatalf, dir, run, config, args...)
}

// relayIn is relayCommand for directories that are there.
func relayIn(fail func(format string, args ...any), dir, run string, config map[string]any, args ...string) *relayProcess {
	text, err := json.Marshal(config)
	if err != nil {
		fail("%v", err)
	}
	path := filepath.Join(dir, "relay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		fail("%v", err)
	}
	if len(args) == 0 {
		args = []string{"run", "--audit", filepath.Join(dir, "audit.jsonl")}
	}
	p := &relayProcess{dir: dir, stderr: &buffer{}}
	own, err := os.Executable()
	if err != nil {
		fail("%v", err)
	}
	p.cmd = exec.Command(own, append(args, "--config", path)...)
	p.cmd.Args[0] = relayRole
	p.cmd.Stderr = p.stderr
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+run, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir)
	return p
}

// startRelay runs a relay that serves HTTP until the test ends.
func startRelay(t *testing.T, config map[string]any) *relayProcess {
	t.Helper()
	p := relayCommand(t, config)
	p.stderr = background(t, p.cmd)
	return p
}
