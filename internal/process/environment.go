package process

import (
	"os"
	"runtime"
	"slices"
	"strings"
)

// cookieVariable names the variable by which the processes of one child are
// found again after they left its process group.
const cookieVariable = "MCP_RELAY_TREE"

// DefaultAllow lists the variables of the relay's environment that a child gets
// unless its configuration says otherwise: what programs need to find their
// files, speak the user's language and tell the time. None of them holds a
// credential by convention. A trailing * stands for any rest of a name.
func DefaultAllow() []string {
	if runtime.GOOS == "windows" {
		return []string{
			"PATH", "PATHEXT", "ComSpec", "SystemRoot", "SystemDrive", "windir", "OS",
			"TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "ProgramData", "ALLUSERSPROFILE",
			"ProgramFiles", "ProgramFiles(x86)", "ProgramW6432", "CommonProgramFiles",
			"CommonProgramFiles(x86)", "CommonProgramW6432", "USERPROFILE", "USERNAME",
			"HOMEDRIVE", "HOMEPATH", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "LANG", "TZ",
		}
	}
	return []string{
		"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LANGUAGE", "LC_*", "TZ",
		"TMPDIR", "TEMP", "TMP",
		"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
		"XDG_CONFIG_DIRS", "XDG_DATA_DIRS",
	}
}

// Environment returns a child's complete environment, sorted: those variables of
// the relay's own environment that allow names (all of them when inherit is
// set), overlaid with extra. Windows compares names without regard to case.
func Environment(allow []string, extra map[string]string, inherit bool) []string {
	return environment(os.Environ(), allow, extra, inherit)
}

func environment(own, allow []string, extra map[string]string, inherit bool) []string {
	out := make([]string, 0, len(allow)+len(extra))
	for _, entry := range own {
		name, _, ok := strings.Cut(entry, "=")
		if !ok || name == "" || name == cookieVariable {
			continue
		}
		if _, replaced := lookup(extra, name); replaced {
			continue
		}
		if inherit || slices.ContainsFunc(allow, func(pattern string) bool { return matches(pattern, name) }) {
			out = append(out, entry)
		}
	}
	for name, value := range extra {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func lookup(m map[string]string, name string) (string, bool) {
	if runtime.GOOS != "windows" {
		v, ok := m[name]
		return v, ok
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

func matches(pattern, name string) bool {
	if runtime.GOOS == "windows" {
		pattern, name = strings.ToUpper(pattern), strings.ToUpper(name)
	}
	if stem, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, stem)
	}
	return pattern == name
}
