package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/mcp-relay/relay/internal/demo"
)

// program is a running relay with a client on its streams.
type program struct {
	*demo.Client
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	stderr *buffer
	audit  string
	home   string
}

// buffer is a bytes.Buffer for two goroutines.
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

// startProgram starts the relay with a configuration, which gets an audit file
// when it has none. env is added to the environment.
func startProgram(t *testing.T, config map[string]any, env ...string) *program {
	t.Helper()
	return startWith(t, nil, config, env...)
}

// startWith starts the relay with flags of run.
func startWith(t *testing.T, flags []string, config map[string]any, env ...string) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{stderr: &buffer{}, audit: filepath.Join(dir, "audit.jsonl"), home: dir}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "relay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run, err := os.MkdirTemp("", "r") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	p.cmd = exec.Command(own, append([]string{"run", "--config", path, "--audit", p.audit}, flags...)...)
	p.cmd.Args[0] = "relay"
	p.cmd.Stderr = p.stderr
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_RUNTIME_DIR="+run)
	p.cmd.Env = append(p.cmd.Env, env...)
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	p.Client = demo.NewClient(p.out, p.in)
	return p
}

// leave closes the client's end and waits for the relay.
func (p *program) leave(t *testing.T) {
	t.Helper()
	if err := p.in.Close(); err != nil {
		t.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the relay: %v\n%s", err, p.stderr)
	}
}

// hostileProgram returns the configuration of a hostile server in the given mode.
func hostileProgram(mode ...string) map[string]any {
	return map[string]any{"command": filepath.Join(programs, "hostile"), "args": mode}
}

func object(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		m[key] = pairs[i+1]
	}
	return m
}

// noopOnly is a section relay with nothing but the scanner that allows all.
func noopOnly() map[string]any {
	return object("scanners", []any{object("name", "noop", "plugin", "noop")})
}
