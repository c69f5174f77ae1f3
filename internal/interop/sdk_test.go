package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	reference = "RELAY_REFERENCE"      // program of the official reference server
	python    = "RELAY_INTEROP_PYTHON" // interpreter that has the official Python SDK
)

// sdk is a client on an official SDK.
type sdk struct {
	name  string
	modes []string // in which eras it can be made to speak
	start func(t *testing.T, mode string) []string
}

var sdks = []sdk{
	{"typescript", []string{"legacy", "auto", "modern"}, func(t *testing.T, mode string) []string {
		t.Helper()
		modules := os.Getenv(nodeModules)
		if modules == "" {
			t.Skip("needs Node and programs from npm: run make interop")
		}
		// A module is found from where the file that wants it is.
		dir := t.TempDir()
		text, err := os.ReadFile(filepath.Join("testdata", "clients", "client.mjs"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "client.mjs")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Clean(modules), filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		return []string{"node", path, mode}
	}},
	{"python", []string{"legacy", "auto", "modern"}, func(t *testing.T, mode string) []string {
		t.Helper()
		if os.Getenv(python) == "" {
			t.Skip("needs the Python SDK: run make interop")
		}
		return []string{os.Getenv(python), filepath.Join("testdata", "clients", "client.py"), mode}
	}},
	{"go", []string{"auto"}, func(t *testing.T, _ string) []string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "gosdk")
		build := exec.Command("go", "build", "-o", path, ".")
		build.Dir = "gosdk"
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building the client: %v\n%s", err, out)
		}
		return []string{path}
	}},
}

// TestSDKs has clients on the official SDKs use the reference server through the
// relay, over standard streams and HTTP, in whichever eras both ends can speak.
func TestSDKs(t *testing.T) {
	server := os.Getenv(reference)
	if server == "" {
		t.Skip("needs the official reference server: run make interop")
	}
	relay := filepath.Join(t.TempDir(), "relay")
	build := exec.Command("go", "build", "-o", relay, "github.com/mcp-relay/relay/cmd/relay")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the relay: %v\n%s", err, out)
	}
	for _, c := range sdks {
		for _, mode := range c.modes {
			for _, era := range []string{"legacy", "modern"} {
				for _, front := range []string{"stdio", "http"} {
					t.Run(strings.Join([]string{c.name, mode, front, era + " server"}, "/"), func(t *testing.T) {
						use(t, c.start(t, mode), relay, front, server, era)
					})
				}
			}
		}
	}
}

// use runs a client and looks at what it got.
func use(t *testing.T, client []string, relay, front, server, era string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "relay.json")
	section := map[string]any{"naming": "bare", "scanners": []any{map[string]any{"name": "noop", "plugin": "noop"}}}
	target := []string{relay, "run", "--config", config}
	environment := append(os.Environ(), "HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	address := ""
	if front == "http" {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address = l.Addr().String()
		_ = l.Close()
		section["http"] = map[string]any{"listen": address, "auth": "none"}
		target = []string{"http://" + address + "/mcp"}
	}
	writeJSON(t, config, map[string]any{
		"mcpServers": map[string]any{"reference": map[string]any{"command": server, "protocol": era}}, "relay": section,
	})
	if front == "http" {
		serveHTTP(t, relay, config, address, environment)
	}
	// In each era the tool with which the reference server asks is another.
	questions := `[["test_elicitation",{"message":"who are you?"}],["test_sampling",{"prompt":"two and two?"}]]`
	if era == "modern" {
		questions = `[["test_input_required_result_elicitation",{}],["test_input_required_result_sampling",{}]]`
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	all := slices.Concat(client, target)
	cmd := exec.CommandContext(ctx, all[0], all[1:]...)
	cmd.Env = append(environment, "QUESTIONS="+questions)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &errs)
	}
	var got struct {
		Tools, Prompts, Resources, Progress, Prompt, Resource int
		Text                                                  string
		Asked, Answers                                        []string
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s\n%s", err, &out, &errs)
	}
	if got.Tools < 20 || got.Prompts < 3 || got.Resources < 2 || got.Prompt < 1 || got.Resource < 1 || got.Text == "" {
		t.Errorf("got %+v", got)
	}
	if got.Progress < 3 {
		t.Errorf("progress came %d times", got.Progress)
	}
	answers := strings.Join(got.Answers, "\n")
	if !slices.Equal(got.Asked, []string{"elicitation", "sampling"}) || len(got.Answers) != 2 || !strings.Contains(answers, "four") ||
		!strings.Contains(answers, "lice") || strings.Contains(answers, "failed") {
		t.Errorf("asked %q and got %q", got.Asked, got.Answers)
	}
}

// serveHTTP runs a relay that serves HTTP until the test ends.
func serveHTTP(t *testing.T, relay, config, address string, environment []string) {
	t.Helper()
	cmd := exec.Command(relay, "run", "--config", config)
	cmd.Env = environment
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the relay does not listen: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
