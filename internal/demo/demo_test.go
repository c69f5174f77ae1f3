package demo

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const small = `{"tools":[{"definition":{"name":"x","n":12345678901234567890},"result":{"content":[{"type":"text","text":"hi"}]}}],` +
	`"script":[{"title":"t","tool":"x","expect":"passed"}]}`

func load(t *testing.T, text string) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "demo.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestLoad(t *testing.T) {
	tests := []struct{ name, text, fault string }{
		{"good", small, ""},
		{"not JSON", `{`, "relay demo --print"},
		{"another type", `{"tools":7}`, "relay demo --print"},
		{"no tools", `{"script":[]}`, "has no tools"},
		{"tool without a name", `{"tools":[{"definition":{"name":"x"}},{"definition":{}}]}`, "tool 2"},
		{"definition is no object", `{"tools":[{"definition":7}]}`, "tool 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := load(t, tt.text)
			if tt.fault == "" {
				if err != nil || len(f.Tools) != 1 || f.Tools[0].Name() != "x" || f.Script[0].Expect != Passed {
					t.Errorf("got %+v, %v", f, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there was loaded")
	}
}

// TestDefault: the script calls what there is, and expects what can be.
func TestDefault(t *testing.T) {
	f, err := Load("")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range f.Tools {
		names = append(names, f.Tools[i].Name())
	}
	outcomes := []Outcome{"", Passed, Redacted, Blocked, Refused}
	for _, step := range f.Script {
		if !slices.Contains(names, step.Tool) || !slices.Contains(outcomes, step.Expect) || step.Title == "" {
			t.Errorf("step %+v", step)
		}
	}
	if len(f.Script) == 0 {
		t.Error("there is no script")
	}
}

func TestServe(t *testing.T) {
	f, err := load(t, small)
	if err != nil {
		t.Fatal(err)
	}
	in := strings.Join([]string{
		`nonsense`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":"` + strings.Repeat("x", maxMessage) + `"}}`,
		`{"jsonrpc":"2.0","id":"l","method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"x"}}`,
		`{"jsonrpc":"2.0","id":"n","method":"tools/call","params":{"name":"none"}}`,
		`{"jsonrpc":"2.0","id":"u","method":"unheard"}`,
		`{"jsonrpc":"2.0","id":"p","method":"ping"}`,
	}, "\n")
	want := `{"jsonrpc":"2.0","id":"l","result":{"tools":[{"name":"x","n":12345678901234567890}]}}
{"jsonrpc":"2.0","id":"c","result":{"content":[{"type":"text","text":"hi"}]}}
{"jsonrpc":"2.0","id":"n","error":{"code":-32601,"message":"no such method or tool"}}
{"jsonrpc":"2.0","id":"u","error":{"code":-32601,"message":"no such method or tool"}}
{"jsonrpc":"2.0","id":"p","result":{}}
`
	var out bytes.Buffer
	if err := f.Serve(strings.NewReader(in), &out); err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestClientAndServer(t *testing.T) {
	f, err := load(t, small)
	if err != nil {
		t.Fatal(err)
	}
	requests, client := io.Pipe()
	answers, server := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- f.Serve(requests, server)
		_ = server.Close()
	}()
	c := NewClient(answers, client)
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	names, _, err := c.Tools()
	if err != nil || !slices.Equal(names, []string{"x"}) {
		t.Errorf("offered %s, %v", names, err)
	}
	got, err := c.Call("x", nil)
	if err != nil || got.Outcome != Passed || got.Text != "hi" {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = c.Call("none", []byte(`{"a":1}`))
	if err != nil || got.Outcome != Refused {
		t.Errorf("got %+v, %v", got, err)
	}
	_ = client.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestOutcomes(t *testing.T) {
	tests := []struct {
		answer string
		want   Answer
	}{
		{`"result":{"content":[{"text":"a"},{"text":"b"}]}`, Answer{Outcome: Passed, Text: "ab"}},
		{`"result":{"content":[{"text":"a [redacted:secret#1]"}]}`, Answer{Outcome: Redacted, Text: "a [redacted:secret#1]"}},
		{`"result":{"content":[{"text":"a"}],"isError":true}`, Answer{Outcome: Failed, Text: "a"}},
		{`"result":{"content":[],"isError":true,"_meta":{"mcp-relay/error":{"type":"SecurityBlock","scan_id":"S"}}}`, Answer{Outcome: Blocked, ScanID: "S"}},
		{`"error":{"code":-32602,"message":"m","data":{"type":"ToolNotFound"}}`, Answer{Outcome: Refused, Text: "m"}},
	}
	for _, tt := range tests {
		in := `{"jsonrpc":"2.0","method":"notifications/message","params":{}}` + "\n" + `{"jsonrpc":"2.0","id":9,"result":{}}` + "\n" +
			`{"jsonrpc":"2.0","id":1,` + tt.answer + "}\n"
		got, err := NewClient(strings.NewReader(in), io.Discard).Call("x", nil)
		if err != nil {
			t.Fatal(err)
		}
		got.Took = 0
		if *got != tt.want {
			t.Errorf("%s: %+v", tt.answer, *got)
		}
	}
	if _, err := NewClient(strings.NewReader(""), io.Discard).Call("x", nil); err == nil {
		t.Error("a relay that ended was an answer")
	}
}
