package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// described writes changes as "path effect" words.
func described(changes []Change) string {
	words := make([]string, 0, len(changes))
	for _, c := range changes {
		words = append(words, c.Path+" "+c.Effect.String())
	}
	return strings.Join(words, "; ")
}

func TestCompare(t *testing.T) {
	const base = `
mcpServers:
  files: {command: npx, args: [a], env: {TOKEN: secret-1, OTHER: o}}
  web: {type: http, url: "https://example.com/mcp", headers: {X-Key: k1}}
relay:
  scanners:
    - {name: local, plugin: guard, phases: [definition, request, response, server_request, notification], on_error: block}
    - {name: beside, plugin: noop, mode: observe, servers: [files]}
  exceptions:
    - {rule: "secret.*", reason: known}
`
	tests := []struct{ name, from, to, want string }{
		{"nothing", "", "", ""},
		{"spelling", "args: [a]", `args: ["a"]`, ""},
		{"argument", "args: [a]", "args: [b]", "mcpServers.files.args executes"},
		{"command", "command: npx", "command: uvx", "mcpServers.files.command executes"},
		{"secret", "secret-1", "secret-2", "mcpServers.files.env.TOKEN executes"},
		{"variable gone", ", OTHER: o", "", "mcpServers.files.env.OTHER executes"},
		{"variable new", "OTHER: o", "OTHER: o, LD_PRELOAD: x.so", "mcpServers.files.env.LD_PRELOAD executes"},
		{"header", "k1", "k2", "mcpServers.web.headers.X-Key executes"},
		{"address", "example.com", "evil.example", "mcpServers.web.url executes"},
		{"directory", "command: npx", "command: npx, cwd: /", "mcpServers.files.cwd executes"},
		{"environment", "command: npx", "command: npx, inherit_env: true", "mcpServers.files.inherit_env executes"},
		{"login", "headers: {X", "oauth: {client_id: c}, headers: {X", "mcpServers.web.oauth executes"},
		{"hidden", "command: npx", "command: npx, hidden_mode: true", "mcpServers.files.hidden_mode weakens"},
		{"disabled", "command: npx", "command: npx, disabled: true", "mcpServers.files.disabled harmless"},
		{"server gone", "  web: {", "  # web: {", "mcpServers.web harmless"},
		{"server new", "  web: {", "  more: {command: sh}\n  web: {", "mcpServers.more executes"},
		{"server new, disabled", "  web: {", "  more: {command: sh, disabled: true}\n  web: {", "mcpServers.more harmless"},
		{"server renamed", "files: {", "stuff: {", "mcpServers.files harmless; mcpServers.stuff executes"},
		{"patience", "command: npx", "command: npx, timeout: 5s", "mcpServers.files.timeout harmless"},
		{"questions", "command: npx", "command: npx, requests: {context: true}", "mcpServers.files.requests.context weakens"},
		{"fewer questions", "command: npx", "command: npx, requests: {sampling: false}", "mcpServers.files.requests.sampling harmless"},
		{"confined", "command: npx", "command: npx, sandbox: true", "mcpServers.files.sandbox harmless"},
		{"era", "command: npx", "command: npx, protocol: legacy", "mcpServers.files.protocol weakens"},

		{"observed", "plugin: guard,", "plugin: guard, allow_unscanned: x,", "fails"},
		{"enforced", "mode: observe", "mode: enforce", "relay.scanners[beside].mode harmless"},
		{"other plugin", "plugin: noop", "plugin: guard", "relay.scanners[beside].plugin executes"},
		{"scanner config", "plugin: guard,", "plugin: guard, config: {endpoint: e},", "relay.scanners[local].config executes"},
		{"scanner sandbox", "plugin: guard,", "plugin: guard, sandbox: never,", "relay.scanners[local].sandbox executes"},
		{"fewer phases", "server_request, notification]", "server_request]", "relay.scanners[local].phases weakens"},
		{"more servers", "servers: [files]", "servers: [files, web]", "relay.scanners[beside].servers harmless"},
		{"all servers", "servers: [files]", "servers: ['*']", "relay.scanners[beside].servers harmless"},
		{"other servers", "servers: [files]", "servers: [web]", "relay.scanners[beside].servers weakens"},
		{"outage", "on_error: block", "on_error: allow", "relay.scanners[local].on_error weakens"},
		{"content error", "on_error: block", "on_content_error: allow", "relay.scanners[local].on_content_error weakens"},
		{"threshold", "on_error: block", "threshold: high", "relay.scanners[local].threshold weakens"},
		{"override", "on_error: block", "overrides: [{servers: [web], mode: observe}]", "fails"},
		{"override of a tool", "on_error: block", "overrides: [{tools: [x], threshold: high}]", "relay.scanners[local].overrides weakens"},
		{"redact requests", "on_error: block", "redact_requests: true", "relay.scanners[local].redact_requests weakens"},
		{"rewrite", "on_error: block", "may_rewrite: true", "relay.scanners[local].may_rewrite weakens"},
		{"scanner gone", "    - {name: beside", "    # - {name: beside", "relay.scanners[beside] weakens"},
		{"scanner new", "  exceptions:", "    - {name: third, plugin: noop}\n  exceptions:", "relay.scanners[third] executes"},

		{"exception", "reason: known}", "reason: known}\n    - {rule: x}", "relay.exceptions weakens"},
		{"exception gone", `    - {rule: "secret.*", reason: known}`, "    []", "relay.exceptions harmless"},
		{"wider exception", `"secret.*"`, `"*"`, "relay.exceptions weakens"},
		{"unscanned", "  scanners:", "  allow_unscanned: [request]\n  scanners:", "relay.allow_unscanned weakens"},
		{"uninspected", "  scanners:", "  uninspected: flag\n  scanners:", "relay.uninspected weakens"},
		{"uninspected strictly", "  scanners:", "  uninspected: block\n  scanners:", "relay.uninspected harmless"},
		{"drift", "  scanners:", "  definitions: {schema: allow}\n  scanners:", "relay.definitions.schema weakens"},
		{"all drift", "  scanners:", "  definitions: {drift: hold}\n  scanners:",
			"relay.definitions.drift weakens; relay.definitions.wording harmless; relay.definitions.new harmless"},
		{"overlap", "  scanners:", "  overlap: [files]\n  scanners:", "relay.overlap weakens"},
		{"self edit", "  scanners:", "  allow_self_edit: true\n  scanners:", "relay.allow_self_edit weakens"},
		{"unwatched", "  scanners:", "  watch: false\n  scanners:", "relay.watch weakens"},
		{"hiding limited", "  scanners:", "  allow_hidden: []\n  scanners:", "relay.allow_hidden harmless"},
		{"audit off", "  scanners:", "  audit: {disabled: true}\n  scanners:", "relay.audit.disabled restart"},
		{"naming", "  scanners:", "  naming: bare\n  scanners:", "relay.naming restart"},
		{"listing seldom", "  scanners:", "  relist_interval: 0\n  scanners:", "relay.relist_interval weakens"},
		{"listing often", "  scanners:", "  relist_interval: 1m\n  scanners:", "relay.relist_interval harmless"},
		{"quiet", "  scanners:", "  log_level: error\n  scanners:", "relay.log_level weakens"},
		{"talkative", "  scanners:", "  log_level: debug\n  scanners:", "relay.log_level harmless"},
		{"limits", "  scanners:", "  limits: {sessions_per_principal: 1}\n  scanners:", "relay.limits.sessions_per_principal restart"},
		{"listen", "  scanners:", "  http: {listen: '127.0.0.1:1', auth: none}\n  scanners:",
			"relay.transport restart; relay.http restart; relay.http.listen restart; relay.http.auth restart"},
	}
	before := load(t, "relay.yaml", base)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			after, err := Load(Options{Path: write(t, "relay.yaml", strings.Replace(base, tt.from, tt.to, 1)), Environ: environ()})
			if err != nil {
				if tt.want != "fails" {
					t.Fatal(err)
				}
				return
			}
			// Both files stand in a directory of their own.
			for i := range after.Servers {
				if filepath.Dir(after.Path) == after.Servers[i].Dir {
					after.Servers[i].Dir = filepath.Dir(before.Path)
				}
			}
			if got := described(Compare(before, after)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			for _, secret := range []string{"secret-", "k1", "k2", "evil"} {
				if strings.Contains(fmt.Sprint(Compare(before, after)), secret) {
					t.Errorf("a change says %q", secret)
				}
			}
		})
	}
}

// TestCompareOrder: the first of two has what both claim.
func TestCompareOrder(t *testing.T) {
	before := &Config{
		Servers: []Server{{Name: "a", Command: "x"}, {Name: "b", Command: "x"}},
		Relay:   Relay{Scanners: []Scanner{{Name: "s"}, {Name: "t"}}},
	}
	after := &Config{Servers: slices.Clone(before.Servers), Relay: Relay{Scanners: slices.Clone(before.Relay.Scanners)}}
	slices.Reverse(after.Servers)
	slices.Reverse(after.Relay.Scanners)
	if got := described(Compare(before, after)); got != "mcpServers weakens; relay.scanners weakens" {
		t.Errorf("got %s", got)
	}
}

// unclassed are fields of a configuration that are not compared, with the
// reason.
var unclassed = map[string]string{
	"Config.Servers":        "one by one",
	"Config.Relay":          "field by field",
	"Config.Path":           "the same file is read again",
	"Config.Digest":         "of everything",
	"Config.Warnings":       "they change nothing",
	"Relay.Scanners":        "one by one",
	"Relay.ScannersImplied": "the scanners are compared",
	"Scanner.Name":          "by which it is known",
	"Scanner.Bundled":       "follows from the plugin",
	"Server.Name":           "by which it is known",
	"Server.Disabled":       "treated like a server that is not there",
}

// TestEveryFieldIsClassed: a field that is new in a configuration has to be
// classed, and its changes must be found.
func TestEveryFieldIsClassed(t *testing.T) {
	empty := func() *Config {
		return &Config{Servers: []Server{{Name: "s"}}, Relay: Relay{Scanners: []Scanner{{Name: "n"}}}}
	}
	roots := []struct {
		name    string
		aspects []aspect
		at      func(*Config) reflect.Value
	}{
		{"Config", nil, func(c *Config) reflect.Value { return reflect.ValueOf(c).Elem() }},
		{"Relay", relayAspects(), func(c *Config) reflect.Value { return reflect.ValueOf(&c.Relay).Elem() }},
		{"Scanner", scannerAspects(), func(c *Config) reflect.Value { return reflect.ValueOf(&c.Relay.Scanners[0]).Elem() }},
		{"Server", serverAspects(), func(c *Config) reflect.Value { return reflect.ValueOf(&c.Servers[0]).Elem() }},
	}
	for _, root := range roots {
		checkFields(t, root.name, root.aspects, func() (*Config, *Config, reflect.Value) {
			before, after := empty(), empty()
			return before, after, root.at(after)
		})
	}
}

func checkFields(t *testing.T, name string, aspects []aspect, fresh func() (before, after *Config, at reflect.Value)) {
	t.Helper()
	_, _, v := fresh()
	for i := range v.NumField() {
		field := v.Type().Field(i).Name
		place := name + "." + field
		at := slices.IndexFunc(aspects, func(a aspect) bool { return a.field == field })
		if unclassed[place] != "" {
			if at >= 0 && (aspects[at].effect != nil || aspects[at].within != nil) {
				t.Errorf("%s is classed after all", place)
			}
			continue
		}
		if at < 0 || aspects[at].effect == nil && aspects[at].within == nil {
			t.Errorf("%s is not classed: say in relayAspects, scannerAspects or serverAspects what a change of it does", place)
			continue
		}
		if within := aspects[at].within; within != nil {
			checkFields(t, place, within, func() (*Config, *Config, reflect.Value) {
				before, after, v := fresh()
				return before, after, v.Field(i)
			})
			continue
		}
		before, after, v := fresh()
		set(t, v.Field(i))
		if got := Compare(before, after); len(got) != 1 {
			t.Errorf("a change of %s is found as %s", place, described(got))
		}
	}
}

// set gives a field a value that is not its zero value.
func set(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Uint8:
		v.Set(reflect.ValueOf(7).Convert(v.Type()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"k": "v"}))
	case reflect.Struct:
		set(t, v.Field(0))
	default:
		t.Fatalf("a field of type %s", v.Type())
	}
}

func TestSettle(t *testing.T) {
	before := &Config{Relay: Relay{Naming: "prefix", LogLevel: "info", HTTP: HTTP{Listen: "a", MaxParked: 1}}}
	after := &Config{
		Digest:  "d",
		Servers: []Server{{Name: "new"}},
		Relay: Relay{
			Naming: "bare", LogLevel: "debug", CallTimeout: time.Second,
			HTTP: HTTP{Listen: "b", MaxParked: 2}, Audit: Audit{Disabled: true},
		},
	}
	got := Settle(before, after)
	if got.Relay.Naming != "prefix" || got.Relay.LogLevel != "debug" || got.Relay.CallTimeout != time.Second ||
		got.Relay.HTTP.Listen != "a" || got.Relay.HTTP.MaxParked != 1 || got.Relay.Audit.Disabled || len(got.Servers) != 1 {
		t.Errorf("settled on %+v", got)
	}
	for _, c := range Compare(got, after) {
		if c.Effect != Restart {
			t.Errorf("%s is not taken over", c.Path)
		}
	}
	if after.Relay.Naming != "bare" {
		t.Error("what was loaded was changed")
	}
}

// TestDigest: it changes with everything that was read and nothing else.
func TestDigest(t *testing.T) {
	path := write(t, "relay.json", `{"mcpServers":{"a":{"command":"x","env":{"T":"${T}"}}}}`)
	digest := func() string {
		t.Helper()
		c, err := Load(Options{Path: path, Environ: environ()})
		if err != nil {
			t.Fatal(err)
		}
		return c.Digest
	}
	dotenv := filepath.Join(filepath.Dir(path), ".env")
	writeAt(t, dotenv, "T=1\n")
	first := digest()
	if again := digest(); again != first || len(first) != 64 {
		t.Errorf("%q, then %q", first, again)
	}
	writeAt(t, dotenv, "T=2\n")
	second := digest()
	writeAt(t, path, `{"mcpServers":{"a":{"command":"y","env":{"T":"${T}"}}}}`)
	if third := digest(); second == first || third == second || third == first {
		t.Error("another file has the same digest")
	}
	// Which plugin a name stands for is read, too.
	writeAt(t, path, `{"mcpServers":{"a":{"command":"y"}},"relay":{"scanners":[{"name":"s","plugin":"acme"}]}}`)
	installed := func(sum, all string) *Config {
		t.Helper()
		c, err := Load(Options{Path: path, Environ: environ(), Installed: func() ([]Installed, error) {
			return []Installed{{Name: "acme", Version: "1", Program: "/p", SHA256: strings.Repeat(sum, 64), Checksum: strings.Repeat(all, 64)}}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if installed("a", "c").Digest == installed("b", "c").Digest {
		t.Error("another plugin has the same digest")
	}
	before, after := installed("a", "c"), installed("a", "d")
	if before.Digest == after.Digest {
		t.Error("a plugin with other files has the same digest")
	}
	if got := described(Compare(before, after)); got != "relay.scanners[s].plugin executes" {
		t.Errorf("other files of a plugin: %s", got)
	}
}
