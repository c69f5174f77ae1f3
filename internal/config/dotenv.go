package config

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const maxDotenv = 64 << 10

// dotenv holds the variables of the .env file beside the configuration file.
type dotenv struct {
	path   string
	digest [sha256.Size]byte // of the file
	values map[string]string
	denied []string // names that it may not set
}

var variableName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
})

// deniedNames and deniedPrefixes are variables that no .env file may set: they
// change what is read, what is run, who is trusted or where content goes.
var (
	deniedNames = []string{
		"PATH", "PATHEXT", "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "SHELL", "COMSPEC", "IFS", "ENV", "BASH_ENV",
		"NODE_OPTIONS", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED",
		"PERL5LIB", "PERL5OPT", "RUBYLIB", "RUBYOPT", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GODEBUG",
	}
	deniedPrefixes = []string{
		"LD_", "DYLD_", "PYTHON", "NPM_CONFIG_", "UV_", "PIP_", "XDG_",
		"MCP_RELAY_", "PRISMA_AIRS_", "PANW_",
	}
)

func deniedVariable(name string) bool {
	upper := strings.ToUpper(name)
	return slices.Contains(deniedNames, upper) || strings.HasSuffix(upper, "_PROXY") ||
		slices.ContainsFunc(deniedPrefixes, func(p string) bool { return strings.HasPrefix(upper, p) })
}

// readDotenv reads the .env file beside the configuration file; a missing one
// is empty.
func readDotenv(configFile string, out *notes) *dotenv {
	d := &dotenv{path: filepath.Join(filepath.Dir(configFile), ".env"), values: map[string]string{}}
	data, err := readTrusted(d.path, maxDotenv)
	if errors.Is(err, os.ErrNotExist) {
		return d
	}
	if err != nil {
		out.report(Diagnostic{File: d.path, Message: "the .env file cannot be used: " + err.Error(), Hint: hintOf(err)})
		return d
	}
	d.digest = sha256.Sum256(data)
	for i, line := range strings.Split(string(data), "\n") {
		name, value, ok := parseDotenvLine(line)
		switch {
		case !ok:
			bad := Diagnostic{File: d.path, Line: i + 1, Column: 1, Message: "this line is not NAME=value", Hint: "begin remarks with #"}
			out.report(bad)
		case name == "":
		case deniedVariable(name):
			d.denied = append(d.denied, name)
		default:
			d.values[name] = value
		}
	}
	if len(d.denied) > 0 {
		out.general(d.path, "set them in the environment of the relay", "a .env file may not set %s; ignored", quoteAll(d.denied))
	}
	return d
}

// parseDotenvLine reads NAME=value, with or without export and quotes. An
// empty name stands for a line without content.
func parseDotenvLine(line string) (name, value string, ok bool) {
	line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
	if line == "" || line[0] == '#' {
		return "", "", true
	}
	line = strings.TrimSpace(strings.TrimPrefix(line, "export "))
	name, value, ok = strings.Cut(line, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || !variableName().MatchString(name) {
		return "", "", false
	}
	if value == "" || (value[0] != '"' && value[0] != '\'') {
		if i := strings.Index(value, " #"); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
		return name, value, true
	}
	value, ok = unquoteDotenv(value)
	return name, value, ok
}

// unquoteDotenv reads a quoted value; what follows it must be a remark.
func unquoteDotenv(s string) (string, bool) {
	quoteMark := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == quoteMark:
			rest := strings.TrimSpace(s[i+1:])
			return b.String(), rest == "" || rest[0] == '#'
		case c == '\\' && quoteMark == '"' && i+1 < len(s):
			i++
			b.WriteString(unescapeDotenv(s[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func unescapeDotenv(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '"', '\\', '$':
		return string(c)
	default:
		return `\` + string(c)
	}
}
