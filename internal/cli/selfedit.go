package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/internal/clientfile"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/selfedit"
	"github.com/mcp-relay/relay/internal/statefile"
)

// ownRules returns the rules that the relay has of its own, whatever the scanners.
func ownRules(cfg *config.Config) []scan.Rule {
	if cfg.Relay.AllowSelfEdit {
		return nil
	}
	return []scan.Rule{selfedit.New(selfEdit(cfg))}
}

// selfEdit says which files are the relay's own, which are clients', and from
// where servers may take a path.
func selfEdit(cfg *config.Config) selfedit.Options {
	places := clientPlaces()
	home, users := places.Home, places.Config
	o := selfedit.Options{Home: home, Variables: pathVariables(cfg)}
	o.Clients(places)
	o.Files = append(o.Files, config.SearchPaths(configOptions(""))...)
	if cfg.Path != "" {
		dir := filepath.Dir(cfg.Path)
		o.Files = append(o.Files, cfg.Path, filepath.Join(dir, ".env"))
		o.Prefixes = append(o.Prefixes, filepath.Join(dir, "mcp-relay."), filepath.Join(dir, ".mcp-relay."))
	}
	for _, dir := range []string{os.Getenv("XDG_CONFIG_HOME"), users, filepath.Join(home, ".config")} {
		if filepath.IsAbs(dir) {
			o.Dirs = append(o.Dirs, filepath.Join(dir, "mcp-relay"), filepath.Join(dir, "pan-mcp-relay"))
		}
	}
	if state, err := statefile.Home(); err == nil {
		o.Dirs = append(o.Dirs, state)
	}
	if store, err := statefile.DataHome(); err == nil {
		o.Dirs = append(o.Dirs, store)
	}
	o.Dirs = append(o.Dirs, runDir())
	if exe, err := os.Executable(); err == nil {
		o.Files = append(o.Files, exe)
	}
	if path := cfg.Relay.Audit.Path; filepath.IsAbs(path) {
		// Old records have a date in their names.
		stem := strings.TrimSuffix(path, filepath.Ext(path))
		o.Files, o.Prefixes = append(o.Files, path), append(o.Prefixes, stem+".", stem+"-")
	}
	o.Files = append(o.Files, cfg.Relay.HTTP.TLS.Cert, cfg.Relay.HTTP.TLS.Key)
	for i := range cfg.Relay.Scanners {
		o.Files = append(o.Files, scannerFiles(&cfg.Relay.Scanners[i])...)
	}
	o.Files = slices.DeleteFunc(o.Files, func(f string) bool { return f == "" })
	o.Bases = workDirs(cfg)
	return o
}

// clientPlaces says where MCP clients keep what they are told.
func clientPlaces() clientfile.Places {
	home, _ := os.UserHomeDir() // without one there is nothing below it
	users, _ := os.UserConfigDir()
	return clientfile.Places{Home: home, Config: users}
}

// scannerFiles returns the files that a scanner is made of: its program, and those
// that its arguments and its configuration name. A program of the system that runs
// it is not the scanner's own.
func scannerFiles(c *config.Scanner) []string {
	var files []string
	add := func(path string) {
		if filepath.IsAbs(path) && filepath.Dir(path) != path {
			files = append(files, filepath.Clean(path))
		}
	}
	if !c.Bundled && (len(c.Args) == 0 || !inSystem(c.Plugin)) {
		add(c.Plugin)
	}
	for _, arg := range c.Args {
		_, value, ok := strings.Cut(arg, "=")
		if !ok {
			value = arg
		}
		add(value)
	}
	dec := jsontext.NewDecoder(bytes.NewReader(c.Config))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return files
		}
		if token.Kind() == '"' {
			add(token.String())
		}
	}
}

// inSystem reports whether a program lies where those of everybody do.
func inSystem(path string) bool {
	return slices.Contains([]string{"/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"}, filepath.ToSlash(filepath.Dir(path)))
}

// workDirs returns the directories from which servers take a path that is
// relative: those in which they run, and those that their arguments name, because
// some serve a directory.
func workDirs(cfg *config.Config) []string {
	dirs := []string{string(filepath.Separator)}
	add := func(dir string) {
		const enough = 64
		if filepath.IsAbs(dir) && len(dirs) < enough && !slices.Contains(dirs, filepath.Clean(dir)) {
			dirs = append(dirs, filepath.Clean(dir))
		}
	}
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		if s.Disabled || s.Type != config.TypeStdio {
			continue
		}
		add(s.Dir)
		for _, arg := range s.Args {
			if info, err := os.Stat(arg); err == nil && info.IsDir() {
				add(arg)
			}
		}
	}
	return dirs
}

// pathVariables returns the variables that a server, or a shell that it starts, may
// put into a path.
func pathVariables(cfg *config.Config) map[string]string {
	variables := map[string]string{"PWD": "."}
	add := func(name, value string) {
		if filepath.IsAbs(value) {
			variables[name] = value
		}
	}
	for _, name := range []string{
		"HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME",
		"XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR", "CLAUDE_CONFIG_DIR", "CODEX_HOME", config.EnvConfigFile,
	} {
		add(name, os.Getenv(name))
	}
	for i := range cfg.Servers {
		for name, value := range cfg.Servers[i].Env {
			add(name, value)
		}
	}
	return variables
}
