package config

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// relayFields are the keys of the section relay. They are made when needed:
// most processes of the relay never load a configuration.
func relayFields() []field[Relay] {
	return slices.Concat(coreFields(), policyFields(), frontFields())
}

func coreFields() []field[Relay] {
	return []field[Relay]{
		{
			name: "naming", def: "prefix", value: choice(func(r *Relay) *string { return &r.Naming }, "prefix", "bare"),
			doc: "How tools are named to the client: prefix is server__tool, bare is the tool's own name.",
		},
		{
			name: "max_name", def: "50", value: integer(24, 128, func(r *Relay) *int { return &r.MaxName }),
			doc: "Longest public tool name in characters; longer ones are cut and get a hash.",
		},
		{
			name: "scanners", value: list(scannerFields(), func(r *Relay) *[]Scanner { return &r.Scanners }),
			doc: "Who judges content, in the order of reports. Without it: panscanner when AIRS credentials are " +
				"present, with guard for notifications; else guard for everything.",
		},
		{
			name: "allow_unscanned", value: phases(func(r *Relay) *[]verdict.Phase { return &r.AllowUnscanned }),
			doc: "Phases that may go without an enforcing scanner; without it the relay does not start when one is uncovered.",
		},
		{
			name: "allow_hidden", value: allowHidden(),
			doc: "The only servers whose hidden_mode has effect; others that ask for it are scanned. Without it every " +
				"server that asks is hidden.",
		},
		{
			name: "start_timeout", def: "10s",
			value: duration(time.Second, 10*time.Minute, func(r *Relay) *time.Duration { return &r.StartTimeout }),
			doc:   "How long a client waits for a server that is starting.",
		},
		{
			name: "call_timeout", def: "10m", value: duration(0, 24*time.Hour, func(r *Relay) *time.Duration { return &r.CallTimeout }),
			doc: "How long a request to a server may take; 0 is no limit.",
		},
		{
			name: "relist_interval", def: "24h",
			value: duration(0, 30*24*time.Hour, func(r *Relay) *time.Duration { return &r.RelistInterval }),
			doc:   "How often servers are asked for their definitions again; 0 is only when they say that these changed.",
		},
		{
			name: "max_servers", def: "128", value: integer(1, 1000, func(r *Relay) *int { return &r.MaxServers }),
			doc: "Most servers a file may have.",
		},
		{
			name: "max_tools", def: "4000", value: integer(1, 100_000, func(r *Relay) *int { return &r.MaxTools }),
			doc: "Most tools of all servers together; more are withheld.",
		},
		{
			name: "max_message", def: "16MiB", value: size(64<<10, 256<<20, func(r *Relay) *int { return &r.MaxMessage }),
			doc: "Longest message in bytes, in either direction; longer ones are refused.",
		},
		{
			name: "audit", value: object(auditFields(), func(r *Relay) *Audit { return &r.Audit }),
			doc: "The record of decisions.",
		},
		{
			name: "log_level", def: "info", value: choice(func(r *Relay) *string { return &r.LogLevel }, "debug", "info", "warn", "error"),
			doc: "What goes to stderr.",
		},
	}
}

func scannerFields() []field[Scanner] {
	return slices.Concat(scannerCoreFields(), scannerPolicyFields())
}

func scannerCoreFields() []field[Scanner] {
	return []field[Scanner]{
		{
			name: "name", required: true, value: text(func(s *Scanner) *string { return &s.Name }),
			doc: "What logs and audit records call it; unique.",
		},
		{
			name: "plugin", required: true, value: text(func(s *Scanner) *string { return &s.Plugin }),
			doc: "A bundled scanner (guard, noop or panscanner), an installed one (NAME or NAME@VERSION, see relay plugin install) " +
				"or the path of a program: absolute, or beginning with ./ and then relative to this file. PATH is not searched.",
		},
		{
			name: "sha256", value: text(func(s *Scanner) *string { return &s.SHA256 }),
			doc: "Checksum of the program in hex, checked at every start.",
		},
		{
			name: "args", value: texts(func(s *Scanner) *[]string { return &s.Args }),
			doc: "Arguments of the program. Never put a secret here.",
		},
		{
			name: "config", value: raw(func(s *Scanner) *json.RawMessage { return &s.Config }),
			doc: "What the scanner is told; each scanner documents its own keys. Secrets belong here, as ${NAME}.",
		},
		{
			name: "phases", omitted: "all", value: phases(func(s *Scanner) *[]verdict.Phase { return &s.Phases }),
			doc: "What it judges: definition, request, response, server_request, notification.",
		},
		{
			name: "servers", omitted: `["*"]`, value: texts(func(s *Scanner) *[]string { return &s.Servers }),
			doc: "Patterns of server names whose content it judges.",
		},
		{
			name: "mode", def: ModeEnforce, value: choice(func(s *Scanner) *string { return &s.Mode }, ModeEnforce, ModeObserve, ModeOff),
			doc: "enforce: its verdict counts; observe: it is only recorded; off: it judges only as the fallback of another.",
		},
		{
			name: "on_error", def: PolicyBlock,
			value: choice(func(s *Scanner) *string { return &s.OnError }, PolicyBlock, PolicyAllow, PolicyFallback),
			doc:   "What happens to content during an outage of the scanner; fallback: another one judges it.",
		},
		{
			name: "on_content_error", def: PolicyBlock,
			value: choice(func(s *Scanner) *string { return &s.OnContentError }, PolicyBlock, PolicyAllow),
			doc: "What happens to content that made the scanner fail: timeout, crash, size, depth. Its author chose " +
				"it, so allow lets attackers through.",
		},
		{
			name: "timeout", def: "5s",
			value: duration(10*time.Millisecond, 5*time.Minute, func(s *Scanner) *time.Duration { return &s.Timeout }),
			doc:   "How long one scan may take.",
		},
		{
			name: "may_rewrite", def: "false", value: boolean(func(s *Scanner) *bool { return &s.MayRewrite }),
			doc: "Its redactions may bring text of their own instead of [redacted:category].",
		},
		{
			name: "redact_requests", def: "false", value: boolean(func(s *Scanner) *bool { return &s.RedactRequests }),
			doc: "It may redact requests; otherwise a redaction there blocks, since it would change what a call does.",
		},
		{
			name: "max_concurrent", def: "0", value: integer(0, 1000, func(s *Scanner) *int { return &s.MaxConcurrent }),
			doc: "Most scans at once; 0 is what the scanner says of itself.",
		},
	}
}

func auditFields() []field[Audit] {
	return []field[Audit]{
		{
			name: "path", value: text(func(a *Audit) *string { return &a.Path }),
			doc: "File of the record; - is stderr. Without it: a file in the state directory of the user.",
		},
		{
			name: "on_error", def: PolicyBlock, value: choice(func(a *Audit) *string { return &a.OnError }, PolicyAllow, PolicyBlock),
			doc: "What happens to content whose record cannot be written: block holds it back, allow lets it pass and says so in the log.",
		},
		{
			name: "max_size_mb", def: "100", value: integer(1, 10_000, func(a *Audit) *int { return &a.MaxSizeMB }),
			doc: "Size at which the file is rotated, in MiB.",
		},
		{
			name: "max_backups", def: "5", value: integer(0, 1000, func(a *Audit) *int { return &a.MaxBackups }),
			doc: "Rotated files to keep; 0 keeps all.",
		},
		{
			name: "disabled", def: "false", value: boolean(func(a *Audit) *bool { return &a.Disabled }),
			doc: "Keep no record.",
		},
	}
}

// allowHidden tells an empty list, which allows nobody, from no list.
func allowHidden() value[Relay] {
	return value[Relay]{
		label:  "list of strings",
		schema: map[string]any{"type": "array", "items": map[string]any{"type": "string"}},
		read: func(r *reader, n *node, dst *Relay) {
			// A list that cannot be read allows nobody.
			names, _ := r.strings(n)
			dst.AllowHidden = &names
		},
	}
}
