package doctor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// client is an MCP client with the places of its configuration, relative to the
// user's home directory.
type client struct {
	name  string
	files []string
}

// clients are those whose files are known.
var clients = []client{
	{"Claude Desktop", []string{
		"Library/Application Support/Claude/claude_desktop_config.json", ".config/Claude/claude_desktop_config.json",
		"AppData/Roaming/Claude/claude_desktop_config.json",
	}},
	{"Claude Code", []string{".claude.json", ".claude/settings.json"}},
	{"Cursor", []string{".cursor/mcp.json"}},
	{"VS Code", []string{
		".config/Code/User/mcp.json", "Library/Application Support/Code/User/mcp.json", "AppData/Roaming/Code/User/mcp.json",
	}},
	{"Windsurf", []string{".codeium/windsurf/mcp_config.json"}},
	{"Gemini CLI", []string{".gemini/settings.json"}},
	{"Cline", []string{
		".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
		"Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
	}},
}

// maxClientFile bounds what is read of a client's file, in bytes.
const maxClientFile = 8 << 20

// Bypasses looks into the configurations of known MCP clients below home for
// servers that they reach beside the relay: nothing of them is judged. It reads
// and changes nothing. own are the base names under which the relay's program is
// known.
func Bypasses(home string, own []string) Report {
	var out Report
	for _, c := range clients {
		for _, file := range c.files {
			path := filepath.Join(home, filepath.FromSlash(file))
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			out = append(out, c.look(path, info.Size(), own))
		}
	}
	if out == nil && runtime.GOOS != "windows" {
		out = Report{{Area: Clients, Status: OK, What: "no configuration of a known MCP client was found"}}
	}
	return out
}

func (c client) look(path string, size int64, own []string) Check {
	check := Check{Area: Clients, Subject: path, Status: OK}
	text, err := os.ReadFile(path)
	if err != nil || size > maxClientFile {
		check.Status, check.What = Warn, c.name+": the file cannot be read"
		return check
	}
	beside, through, ok := beside(text, own)
	switch {
	case !ok:
		check.Status, check.What = Warn, c.name+": the file is not JSON, and was not looked into"
	case len(beside) > 0:
		check.Status = Warn
		check.What = fmt.Sprintf("%s reaches %d servers beside the relay: %s", c.name, len(beside), names(beside))
		check.Do = "move them into the relay's configuration: what they say is judged by nobody"
	case through:
		check.What = c.name + " reaches its servers through the relay only"
	default:
		check.What = c.name + " has no MCP servers"
	}
	return check
}

func names(list []string) string {
	const most = 8
	shown := make([]string, 0, most)
	for _, name := range list[:min(len(list), most)] {
		shown = append(shown, printable.String(name))
	}
	if len(list) > most {
		shown = append(shown, "…")
	}
	return strings.Join(shown, ", ")
}

// entry is what is read of a server in a client's file.
type entry struct {
	Command  string   `json:"command"`
	Args     []string `json:"args"`
	URL      string   `json:"url"`
	Disabled bool     `json:"disabled"`
}

// relays reports whether the entry starts or reaches the relay.
func (e *entry) relays(own []string) bool {
	for _, word := range append([]string{e.Command}, e.Args...) {
		base := strings.TrimSuffix(strings.ToLower(filepath.Base(filepath.ToSlash(word))), ".exe")
		if slices.Contains(own, base) {
			return true
		}
	}
	return false
}

// blocks are the members that hold servers.
var blocks = []string{"mcpServers", "servers", "context_servers"}

// finds are the servers of a client's file.
type finds struct {
	own     []string // base names of the relay's program
	beside  []string
	through bool // the relay is among them
}

// beside returns the servers in a client's file that are not the relay, at any
// depth that clients use: Claude Code has some per project. through reports that
// the relay is among them.
func beside(text []byte, own []string) (out []string, through, ok bool) {
	var root map[string]json.RawMessage
	if json.Unmarshal(config.BlankComments(text), &root) != nil {
		return nil, false, false
	}
	f := finds{own: own}
	f.collect(root)
	for _, project := range members(root["projects"]) {
		f.collect(members(project))
	}
	f.collect(members(root["mcp"]))
	slices.Sort(f.beside)
	return slices.Compact(f.beside), f.through, true
}

// collect takes the servers of an object that has blocks of them.
func (f *finds) collect(object map[string]json.RawMessage) {
	for _, block := range blocks {
		for name, raw := range members(object[block]) {
			var e entry
			switch {
			case json.Unmarshal(raw, &e) != nil || e.Disabled || e.Command == "" && e.URL == "":
			case e.relays(f.own):
				f.through = true
			default:
				f.beside = append(f.beside, name)
			}
		}
	}
}

// members returns those of an object; what is none has none.
func members(raw json.RawMessage) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}
