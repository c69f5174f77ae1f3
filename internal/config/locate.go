package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// EnvConfigFile names the environment variable that holds the path of the
// configuration file.
const EnvConfigFile = "MCP_RELAY_CONFIG_FILE"

// baseNames are the names a configuration file is searched under.
var baseNames = [...]string{"mcp-relay", "relay"}

var extensions = [...]string{".yaml", ".yml", ".json"}

// SearchPaths lists the files that [Load] tries, in order, when no path is
// given. The current directory is never among them.
func SearchPaths(opts Options) []string {
	opts = opts.withDefaults()
	var paths []string
	for _, dir := range configDirs(opts) {
		for _, base := range baseNames {
			paths = appendNames(paths, filepath.Join(dir, "mcp-relay", base))
		}
		paths = appendNames(paths, filepath.Join(dir, "pan-mcp-relay", "mcp-relay"))
	}
	if filepath.IsAbs(opts.Home) {
		paths = appendNames(paths, filepath.Join(opts.Home, ".mcp-relay"))
	}
	return paths
}

func appendNames(paths []string, stem string) []string {
	for _, ext := range extensions {
		paths = append(paths, stem+ext)
	}
	return paths
}

// configDirs lists the directories in which programs keep configuration. A
// relative one would depend on the current directory and is left out.
func configDirs(opts Options) []string {
	xdg, _ := opts.Environ("XDG_CONFIG_HOME")
	dirs := []string{xdg}
	if opts.Home != "" {
		dirs = append(dirs, filepath.Join(opts.Home, ".config"))
	}
	switch opts.goos {
	case "darwin":
		dirs = append(dirs, filepath.Join(opts.Home, "Library", "Application Support"))
	case "windows":
		appData, _ := opts.Environ("APPDATA")
		dirs = append(dirs, appData)
	default:
	}
	var absolute []string
	for _, dir := range dirs {
		if filepath.IsAbs(dir) && !slices.Contains(absolute, filepath.Clean(dir)) {
			absolute = append(absolute, filepath.Clean(dir))
		}
	}
	return absolute
}

// locate returns the absolute path of the configuration file: the explicit
// one, the one from the environment, or the first that the search finds.
// It returns "" after a problem.
func locate(opts Options, out *notes) string {
	if opts.Path != "" {
		return absolute(opts, opts.Path)
	}
	if path, ok := opts.Environ(EnvConfigFile); ok && path != "" {
		return absolute(opts, path)
	}
	var found []string
	for _, path := range SearchPaths(opts) {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			found = append(found, path)
		}
	}
	if len(found) == 0 {
		out.report(noConfiguration(opts))
		return ""
	}
	if len(found) > 1 {
		out.general(found[0], "remove what is not needed", "this file is used; also found and ignored: %s", quoteAll(found[1:]))
	}
	return found[0]
}

func noConfiguration(opts Options) Diagnostic {
	first := "relay.yaml"
	if paths := SearchPaths(opts); len(paths) > 0 {
		first = paths[0]
	}
	return Diagnostic{
		Message: "there is no configuration file",
		Hint: "write " + printable(first) + " with an mcpServers block, or name a file with --config or " + EnvConfigFile +
			"; the current directory is not searched",
	}
}

// absolute resolves a path that a person gave, which may start with ~.
func absolute(opts Options, path string) string {
	path = expandHome(path, opts.Home)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(opts.WorkDir, path)
}

// expandHome replaces a leading ~ by the home directory.
func expandHome(path, home string) string {
	if path == "~" {
		return home
	}
	if len(path) > 1 && path[0] == '~' && os.IsPathSeparator(path[1]) {
		return filepath.Join(home, path[2:])
	}
	return path
}

// warnIgnored names configuration in the current directory that looks as if
// it were meant for the relay and that was not read.
func warnIgnored(opts Options, chosen string, out *notes) {
	if opts.WorkDir == "" || opts.WorkDir == filepath.Dir(chosen) {
		return
	}
	candidates := []string{".env"}
	for _, base := range append(baseNames[:], ".mcp-relay") {
		candidates = appendNames(candidates, base)
	}
	var ignored []string
	for _, name := range candidates {
		path := filepath.Join(opts.WorkDir, name)
		if _, err := os.Lstat(path); err == nil && !slices.Contains(SearchPaths(opts), path) {
			ignored = append(ignored, name)
		}
	}
	if len(ignored) > 0 {
		out.general(opts.WorkDir, "give the path with --config when it is meant",
			"the current directory is not searched; ignored there: %s", quoteAll(ignored))
	}
}

func (o Options) withDefaults() Options {
	if o.Environ == nil {
		o.Environ = os.LookupEnv
	}
	if o.goos == "" {
		o.goos = runtime.GOOS
	}
	return o
}
