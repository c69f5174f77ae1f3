package conformance

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// recorder is a scanner that allows everything and writes down what it saw: a
// line of JSON for each content.
type recorder struct {
	mu   sync.Mutex
	file *os.File
}

// recorded is a line of a recorder.
type recorded struct {
	Phase  string `json:"phase"`
	Server string `json:"server"`
	Method string `json:"method"`
	Target string `json:"target"`
	Data   string `json:"data"` // base64
}

func recorderMain() { scanner.Serve(&recorder{}) }

func (r *recorder) Describe() scanner.Info { return scanner.Info{Name: "recorder", Version: "1"} }

func (r *recorder) Configure(_ context.Context, config []byte) error {
	var c struct{ File string }
	if err := json.Unmarshal(config, &c); err != nil {
		return err
	}
	f, err := os.OpenFile(c.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.file = f
	return nil
}

func (r *recorder) Scan(_ context.Context, c scanner.Content) (scanner.Verdict, error) {
	line, err := json.Marshal(recorded{
		Phase: c.Phase.String(), Server: c.Origin.Server, Method: c.Origin.Method, Target: c.Origin.Target,
		Data: base64.StdEncoding.EncodeToString(c.Data),
	})
	if err != nil {
		return scanner.Verdict{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.file.Write(append(line, '\n')); err != nil {
		return scanner.Verdict{}, err
	}
	return scanner.Allow(), nil
}

// record reads what a recorder wrote: one text per content.
func record(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range bytes.Lines(text) {
		var r recorded
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		data, err := base64.StdEncoding.DecodeString(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Join([]string{r.Method, r.Target, string(data)}, "\n"))
	}
	return out
}
