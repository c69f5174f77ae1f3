package clientfile

import (
	"path/filepath"
	"runtime"
	"slices"
)

// Places are the directories below which programs keep what they are told. Empty
// ones are not known.
type Places struct {
	Home string
	// Config is the directory of users' configuration: ~/.config,
	// ~/Library/Application Support or %APPDATA%.
	Config string
	// GOOS is the system; empty: this one.
	GOOS string
}

// File is a file in which a client may keep what it is told.
type File struct {
	Client string // what people call it
	Path   string // absolute
}

// known are files of one client, relative to some directory.
type known struct {
	client string
	files  []string
}

// editors are the programs that are VS Code under other names, with the names of
// their directories.
var editors = []struct{ client, dir string }{
	{"VS Code", "Code"},
	{"VS Code Insiders", "Code - Insiders"},
	{"VSCodium", "VSCodium"},
	{"Cursor", "Cursor"},
	{"Windsurf", "Windsurf"},
	{"Trae", "Trae"},
	{"Kiro", "Kiro"},
}

// inEditors are the files of each of them and of what is installed in it, below the
// directory of users' configuration. Those without a client are the editor's own.
var inEditors = []known{
	{"", []string{"User/mcp.json", "User/settings.json"}},
	{"Cline", []string{"User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"}},
	{"Roo Code", []string{
		"User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
		"User/globalStorage/rooveterinaryinc.roo-cline/settings/cline_mcp_settings.json",
	}},
	{"Kilo Code", []string{"User/globalStorage/kilocode.kilo-code/settings/mcp_settings.json"}},
}

// inHome are files of clients in a user's home, on every system.
var inHome = []known{
	// The settings have its hooks, and which servers it takes.
	{"Claude Code", []string{".claude.json", ".claude/settings.json", ".claude/settings.local.json", ".claude/mcp.json"}},
	{"Cursor", []string{".cursor/mcp.json"}},
	{"Windsurf", []string{".codeium/windsurf/mcp_config.json", ".codeium/mcp_config.json"}},
	{"Zed", []string{".config/zed/settings.json"}},
	{"VS Code", []string{".config/Code/User/mcp.json"}}, // where ~/.config is not what the system has
	{"Gemini CLI", []string{".gemini/settings.json"}},
	{"Antigravity", []string{".gemini/antigravity/mcp_config.json"}},
	{"Codex", []string{".codex/config.toml"}},
	{"Continue", []string{".continue/config.json", ".continue/config.yaml"}},
	{"LM Studio", []string{".lmstudio/mcp.json", ".cache/lm-studio/mcp.json"}},
	{"Goose", []string{".config/goose/config.yaml"}},
	{"opencode", []string{".config/opencode/opencode.json", ".config/opencode/opencode.jsonc"}},
	{"Crush", []string{".config/crush/crush.json"}},
	{"Amp", []string{".config/amp/settings.json"}},
	{"an MCP client", []string{".config/mcp/mcp.json"}},
	{"Copilot CLI", []string{".copilot/mcp-config.json"}},
	{"Amazon Q", []string{".aws/amazonq/mcp.json"}},
	{"Kiro", []string{".kiro/settings/mcp.json"}},
	{"Qwen Code", []string{".qwen/settings.json"}},
	{"Junie", []string{".junie/mcp/mcp.json"}},
	{"Factory", []string{".factory/mcp.json"}},
	{"Warp", []string{".warp/mcp.json"}},
	{"BoltAI", []string{".boltai/mcp.json"}},
	{"Copilot", []string{".config/github-copilot/mcp.json", ".config/github-copilot/intellij/mcp.json"}},
}

// inConfig are files of clients in the directory of users' configuration.
var inConfig = []known{
	{"Claude Desktop", []string{"Claude/claude_desktop_config.json"}},
	{"Zed", []string{"Zed/settings.json"}},                // on Windows
	{"Goose", []string{"Block/goose/config/config.yaml"}}, // on Windows
	{"LM Studio", []string{"LM Studio/mcp.json"}},
	{"5ire", []string{"5ire/mcp.json"}},
}

// inProjects are the files in which a client finds servers beside what somebody
// works on, in any directory.
var inProjects = []string{
	".mcp.json",
	".vscode/mcp.json",
	".cursor/mcp.json",
	".windsurf/mcp_config.json",
	".roo/mcp.json",
	".kilocode/mcp.json",
	".kiro/settings/mcp.json",
	".amazonq/mcp.json",
	".junie/mcp/mcp.json",
	".gemini/settings.json",
	".codex/config.toml",
	".claude/settings.json",
	".claude/settings.local.json",
	".zed/settings.json",
	"claude_desktop_config.json",
	"cline_mcp_settings.json",
}

// All returns the files of known clients, each once. They need not exist.
func All(p Places) []File {
	var list []File
	if p.Home != "" {
		list = below(list, p.Home, "", inHome)
	}
	for _, dir := range p.configs() {
		list = below(list, dir, "", inConfig)
		for _, e := range editors {
			list = below(list, filepath.Join(dir, e.dir), e.client, inEditors)
		}
	}
	return list
}

// Dirs returns directories in which each file is one server.
func Dirs(p Places) []string {
	if p.Home == "" {
		return nil
	}
	return []string{filepath.Join(p.Home, ".continue", "mcpServers")}
}

// InProjects returns the ends of paths, with slashes, of files that are a client's
// in whatever directory.
func InProjects() []string { return inProjects }

// configs returns the directories of users' configuration: the one that was named,
// and the one that the system has if nobody says otherwise.
func (p *Places) configs() []string {
	var dirs []string
	if p.Config != "" {
		dirs = append(dirs, p.Config)
	}
	if p.Home == "" {
		return dirs
	}
	goos := p.GOOS
	if goos == "" {
		goos = runtime.GOOS
	}
	usual := filepath.Join(p.Home, ".config")
	switch goos {
	case "windows":
		usual = filepath.Join(p.Home, "AppData", "Roaming")
	case "darwin":
		usual = filepath.Join(p.Home, "Library", "Application Support")
	}
	if usual != p.Config {
		dirs = append(dirs, usual)
	}
	return dirs
}

// below adds what is in a directory. Where no client is named it is the owner's.
func below(list []File, dir, owner string, all []known) []File {
	for _, k := range all {
		client := k.client
		if client == "" {
			client = owner
		}
		for _, name := range k.files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if !slices.ContainsFunc(list, func(f File) bool { return f.Path == path }) {
				list = append(list, File{client, path})
			}
		}
	}
	return list
}
