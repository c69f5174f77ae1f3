package config

import (
	"errors"
	"strings"
	"testing"
)

// twoInstalled lists two versions of a scanner, the later one first.
func twoInstalled() ([]Installed, error) {
	return []Installed{
		{Name: "acme-scanner", Version: "2.0.0", Program: "/store/2", SHA256: strings.Repeat("2", 64)},
		{Name: "acme-scanner", Version: "1.0.0", Program: "/store/1", SHA256: strings.Repeat("1", 64)},
	}, nil
}

func TestInstalledScanners(t *testing.T) {
	for _, c := range []struct{ plugin, program, problem string }{
		{"acme-scanner", "/store/1", ""}, // installed last
		{"acme-scanner@2.0.0", "/store/2", ""},
		{"acme-scanner, sha256: " + strings.Repeat("1", 64), "/store/1", ""},
		{"acme-scanner, sha256: " + strings.Repeat("2", 64), "", "was installed with another checksum"},
		{"acme-scanner@3", "", "installed are 2.0.0, 1.0.0"},
		{"acme-scaner", "", "did you mean acme-scanner?"},
		{"guart", "", "did you mean guard?"},
		{"zzz", "", "relay plugin install"},
	} {
		text := "mcpServers: {x: {command: c}}\nrelay: {scanners: [{name: a, plugin: " + c.plugin + "}]}\n"
		cfg, err := Load(Options{Path: write(t, "relay.yaml", text), Environ: environ(), Installed: twoInstalled})
		switch {
		case c.problem != "":
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v", c.plugin, err)
			}
		case err != nil:
			t.Errorf("%s: %v", c.plugin, err)
		default:
			s := cfg.Relay.Scanners[0]
			if s.Plugin != c.program || s.SHA256 != strings.Repeat(c.program[len(c.program)-1:], 64) || s.Installed == nil || s.Bundled {
				t.Errorf("%s: %+v", c.plugin, s)
			}
		}
	}
}

// What is installed is looked at only where a file names it.
func TestInstalledIsReadWhenNeeded(t *testing.T) {
	broken := func() ([]Installed, error) { return nil, errors.New("the lock file is damaged") }
	for plugin, fails := range map[string]bool{"guard": false, "/opt/acme": false, "acme": true} {
		text := "mcpServers: {x: {command: c}}\nrelay: {scanners: [{name: a, plugin: " + plugin + "}]}\n"
		_, err := Load(Options{Path: write(t, "relay.yaml", text), Environ: environ(), Installed: broken})
		if (err != nil) != fails || err != nil && !strings.Contains(err.Error(), "the lock file is damaged") {
			t.Errorf("%s: %v", plugin, err)
		}
	}
}
