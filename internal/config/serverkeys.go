package config

import (
	"strings"
	"time"
)

// entry is a server while it is being read.
type entry struct {
	Server
	key       *node // hidden_mode as a key
	envHidden *node // hidden_mode as pan-mcp-relay wrote it first, under env
	oauth     *node
}

// serverFields are the keys of a server that mean something to the relay.
func serverFields() []field[entry] {
	return []field[entry]{
		{
			name: "type", aliases: []string{"transport"}, omitted: "stdio with command; with url http, or sse when the path ends in /sse",
			value: serverType(),
			doc:   "How to reach the server: stdio, http (Streamable HTTP; also streamable-http) or sse.",
		},
		{
			name: "command", value: text(func(e *entry) *string { return &e.Command }),
			doc: "Program to start, for stdio. A name without a slash is looked up in PATH; a relative path starts at this file.",
		},
		{name: "args", value: texts(func(e *entry) *[]string { return &e.Args }), doc: "Arguments of the program."},
		{
			name: "env", value: environment(),
			doc: "Environment variables of the program, beside the few that every program gets. Numbers keep their text: 1.10 stays 1.10.",
		},
		{
			name: "cwd", omitted: "the directory of this file", value: text(func(e *entry) *string { return &e.Dir }),
			doc: "Directory to start the program in; a relative path starts at this file.",
		},
		{
			name: "url", aliases: []string{"serverUrl", "httpUrl"}, value: text(func(e *entry) *string { return &e.URL }),
			doc: "Address of a server that runs elsewhere. Over http, not https, only loopback addresses get headers.",
		},
		{name: "headers", value: headers(), doc: "HTTP headers for url; put secrets in as ${NAME}."},
		{name: "disabled", def: "false", value: boolean(func(e *entry) *bool { return &e.Disabled }), doc: "Leave the server out."},
		{
			name: "hidden_mode", value: hiddenMode(),
			doc: "Do not scan this server. It is shown wherever state is shown; relay.allow_hidden limits who may ask for it.",
		},
		{
			name: "timeout", omitted: "relay.call_timeout", value: clientTimeout(),
			doc: "How long a call may take, as 30s. A bare number is seconds up to 3600, else milliseconds, as clients write it.",
		},
		{
			name: "inherit_env", def: "false", value: boolean(func(e *entry) *bool { return &e.InheritEnv }),
			doc: "Give the program the relay's whole environment, credentials included.",
		},
		{
			name: "sandbox", def: "false", value: boolean(func(e *entry) *bool { return &e.Sandbox }),
			doc: "Keep the program from the relay's own files and from MCP clients' configurations (Linux).",
		},
		{
			name: "protocol", def: ProtocolAuto,
			value: choice(func(e *entry) *string { return &e.Protocol }, ProtocolAuto, ProtocolLegacy, ProtocolModern),
			doc:   "Which era of MCP the server speaks: legacy is up to 2025-11-25, modern from 2026-07-28 on; auto finds out.",
		},
		{
			name: "requests", omitted: "relay.server_requests",
			value: object(ownRequestFields(), func(e *entry) *Requests { return &e.Requests }),
			doc:   "What the server may ask of clients.",
		},
		{
			name: "oauth", omitted: "defaults, once the server asks for a login", value: oauth(),
			doc: "How to log in to a server with a url; false: never.",
		},
	}
}

const toolsOffered = "all tools of the server are offered"

// clientKeys are keys that MCP clients write and the relay has no use for. A
// text is the warning for those whose absence changes something.
var clientKeys = map[string]string{
	"alwaysAllow": "", "always_allow": "", "autoApprove": "", "auto_approve": "", "trust": "", "alwaysLoad": "",
	"description": "", "name": "", "title": "", "icon": "", "note": "", "notes": "", "comment": "",
	"tags": "", "version": "", "gallery": "",
	"$schema": "", "dev": "", "_meta": "", "id": "", "source": "", "fromGalleryId": "", "provider": "", "registryUrl": "",
	"enabled": "", "isActive": "", // read beside disabled
	"sse_read_timeout": "", "terminate_on_close": "", "initTimeout": "", "startupTimeout": "", "startup_timeout_sec": "",
	"tool_timeout_sec": "set timeout",
	"envFile":          "list the variables under env",
	"env_file":         "list the variables under env",
	"disabledTools":    toolsOffered,
	"enabledTools":     toolsOffered,
	"enabled_tools":    toolsOffered,
	"disabled_tools":   toolsOffered,
	"includeTools":     toolsOffered,
	"excludeTools":     toolsOffered,
	"tools":            toolsOffered,
	"auth":             "put a token into headers",
	"headersHelper":    "put a token into headers",
	"sandbox":          "the program is not sandboxed",
}

func serverType() value[entry] {
	known := map[string]string{
		"stdio": TypeStdio, "local": TypeStdio, "http": TypeHTTP, "streamablehttp": TypeHTTP, "sse": TypeSSE,
	}
	return value[entry]{
		label:  "stdio, http, streamable-http, sse",
		schema: map[string]any{"type": "string"},
		read: func(r *reader, n *node, dst *entry) {
			if !r.is(n, stringKind) {
				return
			}
			if strings.TrimSpace(n.text) == "" {
				return
			}
			kind, ok := known[fold(strings.TrimSpace(n.text))]
			if !ok {
				names := []string{"stdio", "streamable-http", "http", "sse"}
				r.notes.problem(n, didYouMean(n.text, names, "use stdio, http or sse"), "unknown type %s", n.shown())
			}
			dst.Type = kind
		},
	}
}

// environment reads env. The entry hidden_mode is not a variable.
func environment() value[entry] {
	return value[entry]{
		label:  "object of strings",
		schema: mapSchema("string", "number", "boolean", "null"),
		read: func(r *reader, n *node, dst *entry) {
			if n.kind == nullKind || !r.is(n, objectKind) {
				return
			}
			dst.Env = make(map[string]string, len(n.members))
			for _, m := range n.members {
				switch {
				case m.name == "hidden_mode":
					dst.envHidden = m.value
				case m.name == "" || strings.ContainsAny(m.name, "=\x00"):
					r.notes.problem(m.key, "", "this cannot be the name of a variable")
				case m.value.kind == nullKind || m.value.broken:
				case m.value.kind == listKind || m.value.kind == objectKind:
					r.notes.problem(m.value, "", "this must be a string, not %s", m.value.kind)
				case strings.Contains(m.value.text, "\x00"):
					r.notes.problem(m.value, "", "the value of a variable cannot hold a zero byte")
				default:
					dst.Env[m.name] = m.value.text
				}
			}
		},
	}
}

// hiddenMode keeps the node: whether it has effect depends on more.
func hiddenMode() value[entry] {
	return value[entry]{
		label:  "true or false",
		schema: map[string]any{"type": []string{"boolean", "string"}},
		read:   func(_ *reader, n *node, dst *entry) { dst.key = n },
	}
}

// hidden reads a value of hidden_mode, which people write in many ways.
func (r *reader) hidden(n *node) bool {
	switch strings.ToLower(strings.TrimSpace(n.text)) {
	case "true", "1", "yes", "on", "enabled":
		return true
	case "false", "0", "no", "off", "disabled", "":
		return false
	}
	if !n.broken {
		r.notes.problem(n, "write true or false", "this must be true or false, not %s", n.shown())
	}
	return false
}

// maxSeconds is up to where a bare number in a client's timeout is seconds.
// Clients disagree about the unit; none waits for hours, and none for less
// than four seconds when it counts in milliseconds.
const maxSeconds = 3600

// clientTimeout reads the timeout of a server.
func clientTimeout() value[entry] {
	return value[entry]{
		label:  "duration or number",
		schema: map[string]any{"type": []string{"string", "number"}},
		read: func(r *reader, n *node, dst *entry) {
			if n.broken {
				return
			}
			d, err := time.ParseDuration(strings.TrimSpace(n.text))
			if n.kind == numberKind {
				d, err = time.ParseDuration(n.text + "s")
				if err == nil && d > maxSeconds*time.Second {
					d /= 1000
					r.notes.warn(n, "write it with a unit", "this number is read as milliseconds: %s", short(d.Round(time.Millisecond)))
				}
			}
			if n.kind != numberKind && n.kind != stringKind || err != nil || d < 0 || d > 24*time.Hour {
				r.notes.problem(n, "write a number with a unit, for example 30s", "this must be a duration up to 24h, not %s", n.shown())
				return
			}
			dst.Timeout = d
		},
	}
}
