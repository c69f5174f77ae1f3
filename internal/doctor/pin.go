package doctor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// Pins looks at the commands of servers for packages and images whose version is
// chosen anew at every start: by whoever publishes them. home is the user's home
// directory, where npm keeps what it has fetched.
func Pins(cfg *config.Config, home string) Report {
	var out Report
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		if s.Disabled || s.Type != config.TypeStdio {
			continue
		}
		p, ok := floating(s.Command, s.Args)
		if !ok {
			continue
		}
		c := Check{
			Area: Packages, Subject: s.Name, Status: Warn,
			What: p.tool + " starts whatever version of " + printable.String(p.name) + " is published at that moment",
			Do:   "write " + printable.String(p.pinned("VERSION")) + " in args",
		}
		if version := p.cached(home); version != "" {
			c.What += "; the last one here was " + printable.String(version)
			c.Do = "write " + printable.String(p.pinned(version)) + " in args"
		}
		out = append(out, c)
	}
	if out == nil {
		out = Report{{Area: Packages, Status: OK, What: "no server is started from a package without a version"}}
	}
	return out
}

// pin is a package without a version.
type pin struct {
	tool string // npx, uvx or docker
	name string
}

// pinned returns the package with a version, as its tool spells it.
func (p pin) pinned(version string) string {
	switch p.tool {
	case toolUvx:
		return p.name + "==" + version
	case toolDocker:
		return p.name + ":" + version
	default:
		return p.name + "@" + version
	}
}

const (
	toolNpx    = "npx"
	toolUvx    = "uvx"
	toolDocker = "docker"
)

// runners are the programs that fetch what they start, and the sub-command, if
// any, with which they do.
var runners = map[string]struct{ tool, sub string }{
	"npx": {toolNpx, ""}, "bunx": {toolNpx, ""}, "pnpx": {toolNpx, ""},
	"npm": {toolNpx, "exec"}, "pnpm": {toolNpx, "dlx"}, "yarn": {toolNpx, "dlx"},
	"uvx": {toolUvx, ""}, "uv": {toolUvx, "tool run"}, "pipx": {toolUvx, "run"},
	"docker": {toolDocker, "run"}, "podman": {toolDocker, "run"},
}

// floating finds the package of a command, when it has no version.
func floating(command string, args []string) (pin, bool) {
	program := strings.ToLower(filepath.Base(filepath.ToSlash(command)))
	for _, ext := range []string{".exe", ".cmd", ".ps1", ".bat"} {
		program = strings.TrimSuffix(program, ext)
	}
	if program == "cmd" && len(args) > 1 && strings.EqualFold(args[0], "/c") { // as on Windows
		return floating(args[1], args[2:])
	}
	r, known := runners[program]
	if !known {
		return pin{}, false
	}
	for sub := range strings.FieldsSeq(r.sub) {
		if len(args) == 0 || args[0] != sub {
			return pin{}, false
		}
		args = args[1:]
	}
	name := wanted(r.tool, args)
	if name == "" || versioned(r.tool, name) {
		return pin{}, false
	}
	return pin{r.tool, bare(r.tool, name)}, true
}

// packageFlags name the package in a flag; it is then not the first word.
var packageFlags = []string{"-p", "--package", "--from", "--spec"}

// wanted returns the package among the arguments of a runner: that of a flag, or
// the first word that is neither a flag nor the value of one.
func wanted(tool string, args []string) string {
	for i := 0; i < len(args); i++ {
		flag, value, joined := strings.Cut(args[i], "=")
		switch {
		case !strings.HasPrefix(flag, "-"):
			return args[i]
		case tool != toolDocker && slices.Contains(packageFlags, flag):
			if !joined && i+1 < len(args) {
				value = args[i+1]
			}
			return value
		case !joined && slices.Contains(valued[tool], flag):
			i++
		}
	}
	return ""
}

// valued are the flags whose value is the next argument.
var valued = map[string][]string{
	toolNpx: {"-c", "--call", "--prefix", "-w", "--workspace", "--cache"},
	toolUvx: {"--python", "--with", "--index", "--index-url", "--cache-dir", "--directory", "--env-file"},
	toolDocker: {
		"-e", "--env", "-v", "--volume", "--name", "--network", "-p", "--publish", "-u", "--user", "-w", "--workdir",
		"--mount", "--env-file", "--entrypoint", "-l", "--label", "--memory", "-m", "--cpus", "--platform", "--add-host",
	},
}

var pythonVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?:===?|@)\s*v?\d`) })

// versioned reports whether a package or image names exactly one version. A tag
// such as latest does not, nor does a range.
func versioned(tool, name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "file:") {
		return true // what is on this machine is not fetched
	}
	switch tool {
	case toolUvx:
		return pythonVersion().MatchString(name) || strings.HasPrefix(name, "git+") && strings.Contains(name[4:], "@")
	case toolDocker:
		if strings.Contains(name, "@sha256:") {
			return true
		}
		_, tag, ok := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ":")
		return ok && tag != "latest" && tag != ""
	default:
		at := strings.LastIndexByte(name, '@')
		if at <= 0 {
			return false
		}
		version := strings.TrimPrefix(name[at+1:], "v")
		return version != "" && version[0] >= '0' && version[0] <= '9' && !strings.ContainsAny(version, "xX*<>| ")
	}
}

// bare returns the package without the tag that names no version.
func bare(tool, name string) string {
	switch tool {
	case toolDocker:
		if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
			return name[:at]
		}
	case toolNpx:
		if at := strings.LastIndexByte(name, '@'); at > 0 {
			return name[:at]
		}
	case toolUvx:
		if at := strings.IndexAny(name, "@=<>~! "); at > 0 {
			return name[:at]
		}
	}
	return name
}

// maxManifest bounds what is read of a file that others wrote, in bytes.
const maxManifest = 1 << 20

// cached returns the version of an npm package that npx fetched last, or "".
func (p pin) cached(home string) string {
	if p.tool != toolNpx || home == "" || strings.Contains(p.name, "..") {
		return ""
	}
	files, _ := filepath.Glob(filepath.Join(home, ".npm", "_npx", "*", "node_modules", filepath.FromSlash(p.name), "package.json"))
	newest, version := int64(0), ""
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxManifest || info.ModTime().UnixNano() <= newest {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var m struct {
			Version string `json:"version"`
		}
		if json.Unmarshal(text, &m) == nil && m.Version != "" {
			newest, version = info.ModTime().UnixNano(), m.Version
		}
	}
	return version
}
