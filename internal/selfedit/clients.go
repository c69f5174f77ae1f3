package selfedit

import (
	"path/filepath"
	"runtime"
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

// editors are the programs that are VS Code under other names.
var editors = []string{"Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf", "Trae", "Kiro"}

// inEditors are the files of each of them, below the directory of users'
// configuration.
var inEditors = []string{
	"User/mcp.json",
	"User/settings.json",
	"User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
	"User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json",
	"User/globalStorage/rooveterinaryinc.roo-cline/settings/cline_mcp_settings.json",
	"User/globalStorage/kilocode.kilo-code/settings/mcp_settings.json",
}

// inHome are files of clients in a user's home, on every system.
var inHome = []string{
	".claude.json",                        // Claude Code
	".claude/settings.json",               // its hooks, and which servers it takes
	".claude/settings.local.json",         //
	".claude/mcp.json",                    //
	".cursor/mcp.json",                    // Cursor
	".codeium/windsurf/mcp_config.json",   // Windsurf
	".codeium/mcp_config.json",            //
	".config/zed/settings.json",           // Zed
	".config/Code/User/mcp.json",          // VS Code where ~/.config is not what the system has
	".gemini/settings.json",               // Gemini CLI
	".gemini/antigravity/mcp_config.json", //
	".codex/config.toml",                  // Codex
	".continue/config.json",               // Continue
	".continue/config.yaml",               //
	".lmstudio/mcp.json",                  // LM Studio
	".cache/lm-studio/mcp.json",           //
	".config/goose/config.yaml",           // Goose
	".config/opencode/opencode.json",      // opencode
	".config/opencode/opencode.jsonc",     //
	".config/crush/crush.json",            // Crush
	".config/amp/settings.json",           // Amp
	".config/mcp/mcp.json",                //
	".copilot/mcp-config.json",            // Copilot CLI
	".aws/amazonq/mcp.json",               // Amazon Q
	".kiro/settings/mcp.json",             // Kiro
	".qwen/settings.json",                 // Qwen Code
	".junie/mcp/mcp.json",                 // Junie
	".factory/mcp.json",                   // Factory
	".warp/mcp.json",                      // Warp
	".boltai/mcp.json",                    // BoltAI
	".config/github-copilot/mcp.json",     // Copilot in other editors
	".config/github-copilot/intellij/mcp.json",
}

// inConfig are files of clients in the directory of users' configuration.
var inConfig = []string{
	"Claude/claude_desktop_config.json", // Claude Desktop
	"Zed/settings.json",                 // Zed on Windows
	"Block/goose/config/config.yaml",    // Goose on Windows
	"LM Studio/mcp.json",                //
	"5ire/mcp.json",                     //
}

// inHomeDirs are directories in which each file is one server.
var inHomeDirs = []string{
	".continue/mcpServers",
}

// projectFiles are the files in which a client finds servers beside what somebody
// works on. They are protected in any directory.
var projectFiles = []string{
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

// Clients adds the configurations of known MCP clients to what is protected.
func (o *Options) Clients(p Places) {
	if p.GOOS == "" {
		p.GOOS = runtime.GOOS
	}
	o.Suffixes = append(o.Suffixes, projectFiles...)
	if p.Home != "" {
		o.Files = below(o.Files, p.Home, inHome)
		o.Dirs = below(o.Dirs, p.Home, inHomeDirs)
	}
	configs := []string{p.Config}
	switch {
	case p.Home == "":
	case p.GOOS == "windows":
		configs = append(configs, filepath.Join(p.Home, "AppData", "Roaming"))
	case p.GOOS == "darwin":
		configs = append(configs, filepath.Join(p.Home, "Library", "Application Support"))
	default:
		configs = append(configs, filepath.Join(p.Home, ".config"))
	}
	for i, dir := range configs {
		if dir == "" || i > 0 && dir == configs[0] {
			continue
		}
		o.Files = below(o.Files, dir, inConfig)
		for _, editor := range editors {
			o.Files = below(o.Files, filepath.Join(dir, editor), inEditors)
		}
	}
}

func below(list []string, dir string, names []string) []string {
	for _, name := range names {
		list = append(list, filepath.Join(dir, filepath.FromSlash(name)))
	}
	return list
}
