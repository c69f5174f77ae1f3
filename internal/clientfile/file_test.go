package clientfile

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestAll(t *testing.T) {
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
		want := filepath.Join(home, filepath.FromSlash(tt.want))
		if !slices.ContainsFunc(All(p), func(f File) bool { return f.Path == want }) {
			t.Errorf("%s: %s is missing", tt.goos, want)
		}
	}
	if list := All(Places{GOOS: "linux"}); len(list) != 0 {
		t.Errorf("without a home: %v", list)
	}
	seen := map[string]bool{}
	for _, f := range All(Places{Home: "/home/me", GOOS: "linux"}) {
		if f.Client == "" || seen[f.Path] {
			t.Errorf("%s is nobody's, or stands twice", f.Path)
		}
		seen[f.Path] = true
	}
}
