package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/clientfile"
)

func TestBeside(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		through    bool
	}{
		{"nothing", `{}`, nil, false},
		{"relay only", `{"mcpServers":{"relay":{"command":"/usr/bin/relay","args":["run"]}}}`, nil, true},
		{"relay through a shell", `{"mcpServers":{"r":{"command":"cmd","args":["/c","relay.exe"]}}}`, nil, true},
		{"beside", `{"mcpServers":{"relay":{"command":"relay"},"z":{"command":"npx"},"b":{"url":"https://x"}}}`, []string{"b", "z"}, true},
		{"disabled", `{"mcpServers":{"z":{"command":"npx","disabled":true}}}`, nil, false},
		{"VS Code", "{\"servers\":{ // mine\n\"z\":{\"command\":\"npx\"} /* and no more */ }}", []string{"z"}, false},
		{"trailing commas", `{"servers":{"z":{"command":"npx",},},}`, []string{"z"}, false},
		{"in settings", `{"mcp":{"servers":{"z":{"command":"npx"}}}}`, []string{"z"}, false},
		{"per project", `{"projects":{"/a":{"mcpServers":{"z":{"command":"npx"}}},"/b":{"mcpServers":{"z":{"command":"npx"}}}}}`, []string{"z"}, false},
		{"an address is no comment", `{"mcpServers":{"z":{"url":"http://x//y"}}}`, []string{"z"}, false},
		{"odd", `{"mcpServers":[1],"projects":{"a":1},"servers":{"x":1}}`, nil, false},
	} {
		got, through, ok := beside([]byte(c.text), []string{"relay"})
		if !ok || through != c.through || !slices.Equal(got, c.want) {
			t.Errorf("%s: %s %t %t", c.name, got, through, ok)
		}
	}
	if _, _, ok := beside([]byte(`{`), nil); ok {
		t.Error("half a file was read")
	}
}

func FuzzBeside(f *testing.F) {
	f.Add([]byte(`{"mcpServers":{"a":{"command":"b"}},"projects":{"p":{"mcpServers":{}}}}`))
	f.Add([]byte(`{"a":"//","b":/*/ 1 */ 2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		before := slices.Clone(text)
		beside(text, []string{"relay"})
		if !slices.Equal(before, text) {
			t.Error("the text was changed")
		}
	})
}

func TestBypasses(t *testing.T) {
	home := t.TempDir()
	if r := Bypasses(clientfile.All(clientfile.Places{Home: home}), nil); len(r) != 1 || r[0].Status != OK {
		t.Errorf("%+v", r)
	}
	path := filepath.Join(home, ".cursor", "mcp.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{\"mcpServers\":{\"\x1b[2J\":{\"command\":\"x\"}}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := Bypasses(clientfile.All(clientfile.Places{Home: home}), nil); len(r) != 1 || r[0].Status != Warn {
		t.Errorf("%+v", r) // a raw escape is not JSON
	}
	if err := os.WriteFile(path, []byte(`{"mcpServers":{"\u001b[2J":{"command":"x"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := Bypasses(clientfile.All(clientfile.Places{Home: home}), nil)
	if len(r) != 1 || r[0].Status != Warn || !strings.Contains(r[0].What, "1 servers beside") || strings.Contains(r[0].What, "\x1b") {
		t.Errorf("%+v", r)
	}
}
