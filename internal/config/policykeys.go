package config

import (
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

var (
	severities  = []string{"info", "low", "medium", "high", "critical"}
	afterNoLook = []string{Auto, UninspectedAllow, UninspectedFlag, UninspectedBlock, UninspectedStrip}
)

// policyFields are the keys of the section relay that say what verdicts mean.
func policyFields() []field[Relay] {
	return []field[Relay]{
		{
			name: "scan_budget", def: "10s",
			value: duration(100*time.Millisecond, 10*time.Minute, func(r *Relay) *time.Duration { return &r.ScanBudget }),
			doc:   "How long all scanners together may take over one message.",
		},
		{
			name: "uninspected", def: Auto,
			value: choice(func(r *Relay) *string { return &r.Uninspected }, afterNoLook...),
			doc: "What becomes of what no scanner could inspect: images, audio, binary data, content over a limit. auto " +
				"judges text as text whatever its label, flags true images and audio, and blocks the rest.",
		},
		{
			name: "exceptions", value: list(exceptionFields(), func(r *Relay) *[]Exception { return &r.Exceptions }),
			doc: "Findings that do not count, by rule and place.",
		},
		{
			name: "definitions", value: object(definitionFields(), func(r *Relay) *Definitions { return &r.Definitions }),
			doc: "What becomes of tools, prompts, resources and instructions that changed since they were last offered.",
		},
		{
			name: "verdict_cache", value: object(cacheFields(), func(r *Relay) *Cache { return &r.VerdictCache }),
			doc: "Verdicts that are kept and used again for the same content.",
		},
		{
			name: "overlap", value: texts(func(r *Relay) *[]string { return &r.Overlap }),
			doc: "Servers that get a call while its request is still judged, when the tool is annotated readOnlyHint and " +
				"idempotentHint. They see arguments before a verdict: only for servers that you trust with them.",
		},
		{
			name: "allow_self_edit", def: "false", value: boolean(func(r *Relay) *bool { return &r.AllowSelfEdit }),
			doc: "Let calls name the relay's own files and MCP clients' configurations. " +
				"Whoever steers the agent can then disarm the relay.",
		},
		{
			name: "watch", def: "true", value: boolean(func(r *Relay) *bool { return &r.Watch }),
			doc: "Take over changes of this file while running, those that weaken nothing and run nothing new; " +
				"others wait for relay reload --accept.",
		},
	}
}

// scannerPolicyFields are the keys of a scanner that say what its verdicts mean.
func scannerPolicyFields() []field[Scanner] {
	return []field[Scanner]{
		{
			name: "stage", omitted: "0, or 1 for a scanner that needs the network",
			value: integer(0, 9, func(s *Scanner) *int { s.Stage = new(int); return s.Stage }),
			doc:   "When it judges: scanners of a stage at the same time, later stages only what earlier ones let pass.",
		},
		{
			name: "fallback", value: text(func(s *Scanner) *string { return &s.Fallback }),
			doc: "The scanner that judges during an outage, by name, with on_error: fallback. It need not judge anything else.",
		},
		{
			name: "threshold", omitted: "none", value: choice(func(s *Scanner) *string { return &s.Threshold }, severities...),
			doc: "A verdict whose findings are all less severe only flags.",
		},
		{
			name: "cache", def: Auto, value: cacheChoice(),
			doc: "Whether its verdicts are kept: true, false, or definitions for those alone. auto is true for bundled scanners that " +
				"call themselves deterministic.",
		},
		{
			name: "sandbox", def: Auto, value: choice(func(s *Scanner) *string { return &s.Sandbox }, Auto, SandboxAlways, SandboxNever),
			doc: "Confine it (Linux): auto where it is bundled or says that it needs neither network nor files, as far as the " +
				"system can; always whatever it says, or it does not start; never.",
		},
		{
			name: "overrides", value: list(overrideFields(), func(s *Scanner) *[]Override { return &s.Overrides }),
			doc: "Other policies for some servers, tools or phases; the last that fits wins.",
		},
	}
}

func overrideFields() []field[Override] {
	return []field[Override]{
		{
			name: "servers", omitted: "all", value: texts(func(o *Override) *[]string { return &o.Servers }),
			doc: "Patterns of server names.",
		},
		{
			name: "tools", omitted: "all", value: texts(func(o *Override) *[]string { return &o.Tools }),
			doc: "Patterns of tools and prompts, or of URIs, as the server knows them. Definitions have none.",
		},
		{
			name: "phases", omitted: "all", value: phases(func(o *Override) *[]verdict.Phase { return &o.Phases }),
			doc: "Phases.",
		},
		{
			name: "mode", omitted: "as the scanner",
			value: choice(func(o *Override) *string { return &o.Mode }, ModeEnforce, ModeObserve, ModeOff),
			doc:   "enforce, observe, or off: it does not judge this.",
		},
		{
			name: "threshold", omitted: "as the scanner", value: choice(func(o *Override) *string { return &o.Threshold }, severities...),
			doc: "A verdict whose findings are all less severe only flags.",
		},
		{
			name: "on_error", omitted: "as the scanner",
			value: choice(func(o *Override) *string { return &o.OnError }, PolicyBlock, PolicyAllow, PolicyFallback),
			doc:   "What happens during an outage.",
		},
		{
			name: "timeout", omitted: "as the scanner",
			value: duration(10*time.Millisecond, 5*time.Minute, func(o *Override) *time.Duration { return &o.Timeout }),
			doc:   "How long one scan may take.",
		},
		{
			name: "uninspected", omitted: "relay.uninspected",
			value: choice(func(o *Override) *string { return &o.Uninspected }, afterNoLook...),
			doc:   "What becomes of what could not be inspected.",
		},
	}
}

func exceptionFields() []field[Exception] {
	return []field[Exception]{
		{
			name: "rule", required: true, value: text(func(e *Exception) *string { return &e.Rule }),
			doc: "Pattern of the rule's id, as the audit record has it.",
		},
		{
			name: "scanners", omitted: "all", value: texts(func(e *Exception) *[]string { return &e.Scanners }),
			doc: "Names of scanners.",
		},
		{
			name: "servers", omitted: "all", value: texts(func(e *Exception) *[]string { return &e.Servers }),
			doc: "Patterns of server names.",
		},
		{
			name: "tools", omitted: "all", value: texts(func(e *Exception) *[]string { return &e.Tools }),
			doc: "Patterns of tools and prompts, or of URIs, as the server knows them; in a definition, of the item's name.",
		},
		{
			name: "phases", omitted: "all", value: phases(func(e *Exception) *[]verdict.Phase { return &e.Phases }),
			doc: "Phases.",
		},
		{
			name: "pointer", omitted: "everywhere", value: text(func(e *Exception) *string { return &e.Pointer }),
			doc: "Pattern of the place, as /content/*/text: a star is one step, ** any number.",
		},
		{
			name: "reason", value: text(func(e *Exception) *string { return &e.Reason }),
			doc: "Why, for people.",
		},
		{
			name: "until", omitted: "for ever", value: date(func(e *Exception) *time.Time { return &e.Until }),
			doc: "The last day on which it holds, as 2027-01-31 (UTC).",
		},
	}
}

func definitionFields() []field[Definitions] {
	fields := []field[Definitions]{{
		name: "drift", def: DriftGraded,
		value: choice(func(d *Definitions) *string { return &d.Drift }, DriftGraded, DriftAllow, DriftFlag, DriftHold),
		doc: "The policy for every change: allow, flag (offered and recorded) or hold (neither listed nor callable until " +
			"relay tools approve). graded goes by the class of the change.",
	}}
	for _, class := range driftClasses {
		fields = append(fields, field[Definitions]{
			name: class.name, omitted: "as drift says; graded: " + class.graded,
			value: choice(class.at, DriftAllow, DriftFlag, DriftHold), doc: class.doc,
		})
	}
	return fields
}

func cacheFields() []field[Cache] {
	return []field[Cache]{
		{
			name: "memory", def: "16MiB", value: size(64<<10, 256<<20, func(c *Cache) *int { return &c.Memory }),
			doc: "Most memory for verdicts.",
		},
		{
			name: "disk", def: "true", value: boolean(func(c *Cache) *bool { return &c.Disk }),
			doc: "Keep verdicts on definitions in the state directory, so that a second start needs no scan for them.",
		},
		{
			name: "ttl", def: "24h", value: duration(time.Minute, 7*24*time.Hour, func(c *Cache) *time.Duration { return &c.TTL }),
			doc: "How long a verdict is good for.",
		},
	}
}

// cacheChoice reads a boolean or one of two words.
func cacheChoice() value[Scanner] {
	v := choice(func(s *Scanner) *string { return &s.Cache }, CacheTrue, CacheFalse, CacheDefinitions, Auto)
	v.schema = orVariable(map[string]any{"enum": []any{true, false, CacheTrue, CacheFalse, CacheDefinitions, Auto}})
	read := v.read
	v.read = func(r *reader, n *node, dst *Scanner) {
		same := *n // keeps its place
		if same.kind == boolKind {
			same.kind = stringKind
		}
		read(r, &same, dst)
	}
	return v
}

// date reads a day; the value is its end.
func date[T any](at func(*T) *time.Time) value[T] {
	return value[T]{
		label:  "date",
		schema: map[string]any{"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}$|\$\{`},
		read: func(r *reader, n *node, dst *T) {
			if n.broken {
				return
			}
			day, err := time.Parse(time.DateOnly, n.text)
			if err != nil {
				r.notes.problem(n, "write it as 2027-01-31", "this must be a date, not %s", n.shown())
				return
			}
			*at(dst) = day.AddDate(0, 0, 1)
		},
	}
}
