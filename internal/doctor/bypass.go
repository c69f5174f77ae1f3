package doctor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/clientfile"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// maxClientFile bounds what is read of a client's file, in bytes.
const maxClientFile = 8 << 20

// Bypasses looks into the configurations of MCP clients for servers that they
// reach beside the relay: nothing of them is judged. It reads and changes nothing,
// and passes over what is not JSON by its name. own are the base names under which
// the relay's program is known.
func Bypasses(files []clientfile.File, own []string) Report {
	var out Report
	for i := range files {
		info, err := os.Stat(files[i].Path)
		if ext := filepath.Ext(files[i].Path); err != nil || !info.Mode().IsRegular() || ext != ".json" && ext != ".jsonc" {
			continue
		}
		out = append(out, look(&files[i], info.Size(), own))
	}
	if out == nil && runtime.GOOS != "windows" {
		out = Report{{Area: Clients, Status: OK, What: "no configuration of a known MCP client was found"}}
	}
	return out
}

func look(f *clientfile.File, size int64, own []string) Check {
	check := Check{Area: Clients, Subject: f.Path, Status: OK}
	text, err := os.ReadFile(f.Path)
	if err != nil || size > maxClientFile {
		check.Status, check.What = Warn, f.Client+": the file cannot be read"
		return check
	}
	beside, through, ok := beside(text, own)
	switch {
	case !ok:
		check.Status, check.What = Warn, f.Client+": the file is not JSON, and was not looked into"
	case len(beside) > 0:
		check.Status = Warn
		check.What = fmt.Sprintf("%s reaches %d servers beside the relay: %s", f.Client, len(beside), names(beside))
		check.Do = "move them into the relay's configuration: what they say is judged by nobody"
	case through:
		check.What = f.Client + " reaches its servers through the relay only"
	default:
		check.What = f.Client + " has no MCP servers"
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
