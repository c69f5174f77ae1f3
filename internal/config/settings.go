package config

import (
	"slices"
	"strconv"
	"strings"
)

// setting is a key of the section relay that the environment, a flag or the
// mcpRelay section of a pan-mcp-relay file may also set.
type setting struct {
	key    string // in the section relay
	env    string
	legacy string // in mcpRelay, folded
	adapt  func(string) string
}

func settings() []setting {
	return []setting{
		{key: "transport", env: "MCP_RELAY_TRANSPORT", legacy: "transport", adapt: strings.ToLower},
		{key: "host", env: "MCP_RELAY_HOST", legacy: "host"},
		{key: "port", env: "MCP_RELAY_PORT", legacy: "port"},
		{key: "max_servers", env: "MCP_RELAY_MAX_SERVERS", legacy: "maxmcpservers"},
		{key: "max_tools", env: "MCP_RELAY_MAX_TOOLS", legacy: "maxmcptools"},
		{key: "relist_interval", env: "MCP_RELAY_TOOL_CACHE_TTL", legacy: "toolregistrycachettl", adapt: seconds},
		{key: "log_level", env: "MCP_RELAY_LOG_LEVEL", legacy: "loglevel", adapt: logLevel},
	}
}

// seconds gives a number without a unit the unit it has for pan-mcp-relay.
func seconds(s string) string {
	if isInteger(s) {
		return s + "s"
	}
	return s
}

// logLevel maps the names and numbers of Python's levels to ours.
func logLevel(s string) string {
	if n, err := strconv.Atoi(s); err == nil {
		switch {
		case n <= 10:
			return "debug"
		case n <= 20:
			return "info"
		case n <= 30:
			return "warn"
		default:
			return "error"
		}
	}
	switch s = strings.ToLower(s); s {
	case "notset":
		return "debug"
	case "warning":
		return "warn"
	case "critical", "fatal":
		return "error"
	default:
		return s
	}
}

// apply sets one key of the section relay from text that stands elsewhere.
func (l *loader) apply(s setting, text string, at *node) {
	text = strings.TrimSpace(text)
	if s.adapt != nil {
		text = s.adapt(text)
	}
	if f, ok := find(l.fields, s.key); ok {
		n := scalarNode(text)
		n.line, n.col, n.path, n.origin, n.expanded = at.line, at.col, at.path, at.origin, at.expanded
		if s.key == "host" {
			n.kind = stringKind
		}
		f.value.read(&l.reader, n, &l.config.Relay)
		l.said[s.key] = n
	}
}

// applyEnvironment sets what the environment and then what flags say: both
// are stronger than the file, flags strongest.
func (l *loader) applyEnvironment() {
	for _, s := range settings() {
		if text, ok := l.opts.Environ(s.env); ok && text != "" {
			l.apply(s, text, &node{origin: s.env, path: "relay." + s.key, expanded: true})
		}
	}
	for _, s := range settings() {
		if text, ok := l.opts.Flags[s.key]; ok {
			l.apply(s, text, &node{origin: "--" + strings.ReplaceAll(s.key, "_", "-"), path: "relay." + s.key})
		}
	}
}

// legacyIgnored are keys of mcpRelay that have no meaning here, with the
// warning for those that somebody may rely on.
var legacyIgnored = map[string]string{
	"showconfig":  "",
	"usesystemca": "",
	"configfile":  "the path of the file is taken from --config or " + EnvConfigFile,
	"configpath":  "the path of the file is taken from --config or " + EnvConfigFile,
	"dotenv":      "only the .env file beside this file is read",
}

// readLegacy reads the section mcpRelay of a pan-mcp-relay file, which accepts
// several spellings of each key: api_key, apiKey, ApiKey, api-key, apikey.
func (l *loader) readLegacy(n *node) {
	if n == nil || n.kind == nullKind || !l.reader.is(n, objectKind) {
		return
	}
	known := []string{"apiKey", "aiProfile", "apiEndpoint", "endpoint", "customCaFile"}
	for _, s := range settings() {
		known = append(known, s.legacy)
	}
	for _, m := range n.members {
		name := fold(m.name)
		i := slices.IndexFunc(settings(), func(s setting) bool { return s.legacy == name })
		warning, ignored := legacyIgnored[name]
		switch {
		case ignored && warning != "":
			l.notes.warn(m.key, warning, "this key is not read")
		case ignored, m.value.broken, m.value.kind == nullKind:
		case m.value.kind == objectKind || m.value.kind == listKind:
			l.notes.problem(m.value, "", "this must be a string, not %s", m.value.kind)
		case i >= 0:
			l.apply(settings()[i], m.value.text, m.value)
		case !l.airs.setLegacy(name, strings.TrimSpace(m.value.text)):
			l.notes.problem(m.key, didYouMean(m.name, known, "remove it"), "unknown key %s", quote(m.name))
		}
	}
}
