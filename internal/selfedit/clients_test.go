package selfedit

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestClients(t *testing.T) {
	for _, tt := range []struct{ goos, config, want string }{
		{"darwin", "", "Library/Application Support/Claude/claude_desktop_config.json"},
		{"darwin", "", "Library/Application Support/Code/User/mcp.json"},
		{"darwin", "", ".codex/config.toml"},
		{"linux", "", ".config/Claude/claude_desktop_config.json"},
		{"linux", "", ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"},
		{"linux", "other", "other/Code/User/settings.json"},
		{"linux", "other", ".config/Code/User/settings.json"},
		{"windows", "", "AppData/Roaming/Claude/claude_desktop_config.json"},
		{"windows", "", ".cursor/mcp.json"},
	} {
		home := filepath.FromSlash("/home/me")
		p := Places{Home: home, GOOS: tt.goos}
		if tt.config != "" {
			p.Config = filepath.Join(home, tt.config)
		}
		var o Options
		o.Clients(p)
		if want := filepath.Join(home, filepath.FromSlash(tt.want)); !slices.Contains(o.Files, want) {
			t.Errorf("%s: %s is not protected", tt.goos, want)
		}
	}
	// Without a home, what lies in projects is protected still.
	var o Options
	o.Clients(Places{GOOS: "linux"})
	w := &world{rule: New(o)}
	if got := w.judge("/p/.vscode/mcp.json", "/p/settings.json"); len(got) != 1 || len(o.Files) != 0 {
		t.Errorf("found %q, files %q", got, o.Files)
	}
}
