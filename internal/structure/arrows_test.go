package structure

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// arrow lets the packages that match from import what matches to. Both are
// directories of this module, patterns of path.Match, or (to) modules of others.
type arrow struct{ from, to, why string }

// The paths of the foreign modules in the tables.
const (
	goPlugin = "github.com/hashicorp/go-plugin"
	hclog    = "github.com/hashicorp/go-hclog"
	grpc     = "google.golang.org/grpc"
	protobuf = "google.golang.org/protobuf"
	mcpGo    = "github.com/mark3labs/mcp-go"
	jsontext = "github.com/go-json-experiment/json"
	yaml     = "github.com/goccy/go-yaml"
)

// contract is the directory of the generated code.
const contract = "proto/mcprelay/scanner/v1"

// ours are the arrows between our own packages.
var ours = []arrow{
	{"cmd/relay", "internal/cli", "main calls the command line and nothing else"},

	{"scanner", contract, "the SDK turns the contract's messages into types that are nice to use"},
	{"scanner", "scanner/handshake", "a plugin has to know how the relay greets it"},
	{"scanner/conformance", "scanner", "it judges what implements the SDK's interfaces"},
	{"scanner/conformance", contract, "it looks at the wire, where the SDK cannot hide a fault"},
	{"scanner/conformance", "scanner/handshake", "it starts plugin programs as the relay does"},
	{"scanner/scannertest", "scanner/conformance", "the checks, in go test"},
	{"scanner/scannertest", "scanner", "authors of scanners speak in its words"},
	{"plugins/*", "scanner", "a plugin needs the SDK only: this proves that third parties can write one"},
	{"plugins/guard", "plugins/guard/argument", "what a value says to programs is read there, what follows is the rules'"},
	{"plugins/*/cmd/*", "plugins/*", "the program serves its library"},
	{"plugins/*/cmd/*", "scanner", "the program serves its library"},
	{"plugins/panscanner/airstest/cmd/airstest", "plugins/panscanner/airstest", "the emulator as a program"},
	{"internal/airsbench", "internal/jsonrpc", "its server writes strings as JSON"},
	{"internal/airsbench", "plugins/panscanner/airstest", "it measures with the emulator"},
	{"cmd/airsbench", "internal/airsbench", "main calls the measurement and nothing else"},

	{"internal/peer", "internal/jsonrpc", "a message is made of raw JSON-RPC parts"},
	{"internal/protocol", "internal/jsonrpc", "what MCP says is said about JSON-RPC messages"},

	{"internal/front", "internal/jsonrpc", "frames and envelopes"},
	{"internal/front", "internal/peer", "writers accept cleared content only"},
	{"internal/front", "internal/protocol", "header rules of the HTTP transports"},

	{"internal/session", "internal/jsonrpc", "a client's ids"},
	{"internal/session", "internal/peer", "the ordered writer accepts cleared content only"},
	{"internal/session", "internal/protocol", "eras and capabilities"},
	{"internal/bridge", "internal/jsonrpc", "parked calls are raw messages"},
	{"internal/bridge", "internal/peer", "what is parked is what leaves"},
	{"internal/bridge", "internal/protocol", "the two eras that it joins"},

	{"internal/downstream", "internal/jsonrpc", "frames and envelopes"},
	{"internal/downstream", "internal/peer", "what a server says goes to a handler of the relay"},
	{"internal/downstream", "internal/protocol", "handshakes and header rules"},
	{"internal/downstream", "internal/process", "a stdio server is a child process"},

	{"internal/downstream", "internal/printable", "what a server says is logged without its escapes"},

	{"internal/registry", "internal/jsonrpc", "definitions stay raw"},
	{"internal/registry", "internal/protocol", "what a name may look like in each era"},
	{"internal/registry", "internal/verdict", "a definition has a state that verdicts change"},
	{"internal/registry", "internal/peer", "what it lists was cleared"},

	{"internal/scan", "internal/jsonrpc", "content is raw JSON"},
	{"internal/scan", "internal/verdict", "verdicts are merged and applied here"},
	{"internal/scan", "internal/audit", "every decision is recorded where it is made"},
	{"internal/scan", "internal/media", "what no scanner could read is told by its bytes"},
	{"internal/scan", "internal/peer", "the gate is the one place that clears content"},

	{"internal/media", "internal/jsonrpc", "opaque parts lie in raw JSON"},

	{"internal/selfedit", "internal/scan", "it is a rule of the gate"},
	{"internal/selfedit", "internal/clientfile", "clients' configurations are protected too"},
	{"internal/selfedit", "internal/verdict", "what it finds is said as a verdict says it"},

	{"internal/relay", "internal/jsonrpc", "routing reads envelopes"},
	{"internal/relay", "internal/peer", "both sides meet here"},
	{"internal/relay", "internal/protocol", "who answers which method"},
	{"internal/relay", "internal/session", "who asked"},
	{"internal/relay", "internal/bridge", "clients and servers of different eras"},
	{"internal/relay", "internal/registry", "where a name leads"},
	{"internal/relay", "internal/scan", "every message waits at the gate"},
	{"internal/relay", "internal/audit", "what was withheld or out of order is recorded where it is seen"},
	{"internal/relay", "internal/verdict", "where a message came from is said in its words"},

	{"internal/definitions", "internal/jsonrpc", "definitions are raw JSON"},
	{"internal/definitions", "internal/registry", "it holds what the registry keeps, in the registry's words"},
	{"internal/definitions", "internal/statefile", "what it remembers is the user's alone"},
	{"internal/definitions", "internal/audit", "a change is recorded where it is seen"},
	{"internal/definitions", "internal/verdict", "the phase of a definition"},
	{"internal/definitions", "internal/printable", "a difference is shown without its escapes"},

	{"internal/isolation", "internal/jsonrpc", "a client is handed messages"},
	{"internal/isolation", "internal/peer", "who connects, and the way back to it"},

	{"internal/plugin", contract, "the host speaks the contract itself"},
	{"internal/plugin", "scanner/handshake", "the host greets plugins"},
	{"internal/plugin", "internal/verdict", "what scanners say becomes verdicts here"},
	{"internal/plugin", "internal/process", "a scanner is a child process"},
	{"internal/plugin", "internal/printable", "what a scanner prints is logged without its escapes"},

	{"internal/plugin", "internal/sandbox", "a scanner is confined to what it needs"},

	{"internal/bundled", "plugins/*", "the scanners inside the binary"},
	{"internal/bundled", "scanner", "they are served like any other"},

	{"internal/config", "internal/verdict", "phases and actions are written in files"},
	{"internal/audit", "internal/verdict", "decisions are recorded in its words"},
	{"internal/verdictcache", "internal/verdict", "it keeps verdicts"},
	{"internal/report", "internal/audit", "it adds up records"},
	{"internal/verdictcache", "internal/statefile", "those on definitions are kept beside what the relay remembers"},
	{"internal/telemetry", "internal/verdict", "decisions are counted in its words"},
	{"internal/telemetry", "internal/printable", "foreign text is logged without its escapes"},

	{"internal/oauth", "internal/printable", "hosts and issuers are named in errors without their escapes"},
	{"internal/audit", "internal/statefile", "the record is kept beside what the relay remembers"},
	{"internal/oauth", "internal/statefile", "logins are the user's alone"},
	{"internal/principal", "internal/statefile", "so are tokens"},
	{"internal/pluginstore", "internal/statefile", "the lock file is the user's alone, and changes one at a time"},
	{"internal/control", "internal/statefile", "its socket stands in a directory of the user's alone"},
	{"internal/control", "internal/process", "the kernel says whose process is at the other end"},

	{"internal/demo", "internal/jsonrpc", "its client and server speak raw messages"},
	{"internal/demo", "internal/protocol", "they name what MCP names"},

	{"internal/eval", "internal/scan", "each scanner judges behind a gate of its own, so that what counts is what counts in the relay"},
	{"internal/eval", "internal/verdict", "what scanners say"},
	{"internal/eval", "internal/audit", "the gate says in records what counted"},
	{"internal/eval", "internal/peer", "which part of a message an item is"},
	{"internal/eval", "internal/protocol", "the methods that carry items"},
	{"internal/eval", "internal/jsonrpc", "items are put into raw messages"},
	{"internal/eval", "internal/registry", "a definition is the registry's item"},
	{"internal/eval", "internal/definitions", "a changed definition is the memory's finding"},
	{"internal/eval", "internal/printable", "names in a corpus are foreign"},

	{"internal/canary", "internal/jsonrpc", "its client and server speak raw messages"},
	{"internal/canary", "internal/protocol", "they name what MCP names"},
	{"internal/canary", "internal/scan", "a witness stands around scanners"},
	{"internal/canary", "internal/verdict", "and notes what they say"},
	{"internal/canary", "internal/printable", "why a conversation ended is foreign text"},
	{"internal/doctor", "internal/config", "it looks at what is configured"},
	{"internal/doctor", "internal/clientfile", "it looks for servers that clients reach beside the relay"},
	{"internal/doctor", "internal/verdict", "phases and scanners are named in its words"},
	{"internal/doctor", "internal/printable", "what it finds is foreign text"},
	{"internal/doctor", "internal/audit", "whether the record is what was written, its chain says"},
	{"internal/doctor", "internal/pluginstore", "whether installed scanners are what was accepted, their store says"},

	{"internal/cli", "internal/*", "the command line wires; nobody else knows the whole"},
	{"internal/cli", "scanner/conformance", "authors of scanners in other languages run the checks with the relay"},
	{"internal/cli", "scanner", "a bundled scanner is served by a hidden sub-command"},
}

// foreign are the arrows to modules of others.
var foreign = []arrow{
	{contract, grpc, "generated code"},
	{contract, protobuf, "generated code"},
	{"scanner", grpc, "the SDK serves the contract"},
	{"scanner", protobuf, "the SDK serves the contract"},
	{"scanner", goPlugin, "the SDK is the plugin's half of it"},
	{"scanner", hclog, "go-plugin logs through it"},
	{"scanner/conformance", grpc, "it looks at the wire"},
	{"scanner/conformance", protobuf, "it looks at the wire"},

	{"plugins/guard", "go.yaml.in/yaml/v3", "its rules are files; read at every start, where goccy/go-yaml takes four times as long"},
	{"plugins/guard", "golang.org/x/text", "text is compared in its normal form"},
	{"plugins/panscanner", jsontext, "names of the API are matched byte for byte"},
	{"plugins/panscanner", "golang.org/x/sync", "the chunks of one content are scanned concurrently"},

	{"internal/jsonrpc", "golang.org/x/sys", "a pipe that nobody reads is noticed, not waited for"},
	{"internal/verdict", jsontext, "redactions are applied to tokens, so that the rest stays as it was"},
	{"internal/media", jsontext, "a part has a JSON Pointer and a place in the bytes"},
	{"internal/selfedit", jsontext, "a finding names the place of a string, however deep"},
	{"internal/cli", jsontext, "the paths in a scanner's configuration are found wherever they are"},
	{"internal/audit", jsontext, "records are read back by the hundred megabytes"},
	{"internal/oauth", jsontext, "names in metadata are matched byte for byte, and none counts twice"},
	{"internal/oauth", "github.com/zalando/go-keyring", "the keychain of each system"},
	{"internal/doctor", "golang.org/x/sys", "how much room a disk has is a system call"},
	{"internal/verdictcache", "github.com/zalando/go-keyring", "who can write files is not to make up verdicts"},
	{"internal/process", "golang.org/x/sys", "process groups, Job Objects and dumpable are system calls"},
	{"internal/sandbox", "golang.org/x/sys", "Landlock and seccomp are system calls"},
	{"internal/pluginstore", jsontext, "what a lock file says twice or besides is refused"},
	{"internal/plugin", goPlugin, "it launches and connects"},
	{"internal/plugin", hclog, "go-plugin logs through it"},
	{"internal/plugin", grpc, "the host speaks the contract itself"},
	{"internal/plugin", protobuf, "the host speaks the contract itself"},
	{"internal/registry", "golang.org/x/text", "names and URIs are compared in their normal form"},
	{"internal/registry", "go.mau.fi/util", "names that look alike are reported"},
	{"internal/statefile", "golang.org/x/sys", "relays that change the same file take turns with a lock"},
	{"internal/definitions", jsontext, "definitions are compared in their canonical form"},
	{"internal/definitions", "golang.org/x/net", "which words are names of hosts"},
	{"internal/definitions", "github.com/aymanbagabas/go-udiff", "people see what changed"},
	{"internal/config", jsontext, "positions in JSON files"},
	{"internal/config", "golang.org/x/net", "what a header and a proxy may look like"},
	{"internal/config", yaml, "positions of every value, for errors that name a line"},
	{"internal/selfedit", "golang.org/x/sys/unix", "whether a file is there, at the price of one system call"},
	{"internal/cli", "github.com/spf13/cobra", "commands and flags"},
	{"internal/cli", "golang.org/x/term", "a yes is typed on a terminal, and nowhere else"},
}

// ban keeps everybody but the excepted out of a package, whatever the tables of
// arrows say. In says who is kept out; empty: everybody.
type ban struct {
	what   string
	in     []string
	except []string
	why    string
}

// readers touch protocol objects.
var readers = []string{
	"internal/bridge", "internal/downstream", "internal/front", "internal/jsonrpc", "internal/peer", "internal/protocol",
	"internal/registry", "internal/relay", "internal/scan", "internal/session",
}

// wireless packages know no transport and no process.
var wireless = []string{
	"internal/bridge", "internal/jsonrpc", "internal/media", "internal/peer", "internal/registry", "internal/relay", "internal/scan",
	"internal/session", "internal/verdict",
}

// pure packages see bytes only; jsonrpc alone also knows the pipe they go to.
var pure = slices.DeleteFunc(slices.Clone(wireless), func(pkg string) bool { return pkg == "internal/jsonrpc" })

var bans = []ban{
	{
		what: goPlugin, except: []string{"internal/plugin", "scanner"},
		why: "on the host side only plugin knows go-plugin",
	},
	{
		what: grpc, except: []string{"internal/plugin", "scanner", "scanner/conformance", contract},
		why: "on the host side only plugin knows gRPC",
	},
	{
		what: mcpGo, except: []string{"internal/downstream", "internal/protocol"},
		why: "typed messages lose members; its transports and constants may be used, and tests have it as a peer",
	},
	{
		what: "encoding/json", in: readers,
		why: "it matches members whatever their case and takes the last of two: not what others read",
	},
	{
		what: "os/exec", except: []string{
			"internal/process", "internal/plugin",
			"scanner/conformance", // it starts plugin programs, and watches what the warden would put right
			"internal/cli",        // the demo is a client, which starts a relay
			"internal/airsbench",  // likewise
		},
		why: "a child that the warden does not know outlives the relay",
	},
	{what: "net", in: wireless, why: "who decides does not know how messages travel"},
	{what: "net/http", in: wireless, why: "who decides does not know how messages travel"},
	{what: "os", in: pure, why: "who decides has no files"},
	{
		what: "unsafe", except: []string{"internal/process", "internal/sandbox", contract},
		why: "only system calls need it; content that was cleared cannot be forged without it",
	},
	{what: "C", why: "the binary is built without cgo for every platform"},
	{what: "log", why: "there is one structured logger, and it is passed in"},
	{what: "math/rand", why: "math/rand/v2 for jitter, crypto/rand for what must not be guessed"},
	{what: "net/http/pprof", why: "it puts handlers on the default mux"},
	{what: "expvar", why: "it puts handlers on the default mux"},
	{what: "plugin", why: "scanners are processes of their own"},
}

func TestArrows(t *testing.T) {
	used := map[arrow]bool{}
	found := map[string]bool{}
	check := func(s *source, table []arrow, to string) {
		for _, a := range table {
			if matches(a.from, s.pkg) && matches(a.to, to) {
				used[a] = true
				return
			}
		}
		found[s.pkg+" -> "+to] = true
	}
	for _, s := range sources(t) {
		s.imports(func(imported string) {
			dir, mine := own(imported)
			switch {
			case dir == s.pkg: // a test from outside its package
			case s.test && mine && public(s.pkg) && strings.HasPrefix(dir, "internal/"):
				t.Errorf("%s imports %s: what we publish is tested with what we publish", s.path, dir)
			case s.test: // a test may bring whatever peers it needs
			case mine:
				check(s, ours, dir)
			case thirdParty(imported):
				check(s, foreign, imported)
			}
		})
	}
	for _, what := range slices.Sorted(maps.Keys(found)) {
		t.Errorf("new arrow: %s; if it belongs there, add it to the table with its reason", what)
	}
	for _, a := range slices.Concat(ours, foreign) {
		if a.why == "" {
			t.Errorf("%s -> %s has no reason", a.from, a.to)
		}
	}
	for _, a := range ours { // the design allows it; nobody has to use it
		if !used[a] {
			t.Logf("nobody uses %s -> %s", a.from, a.to)
		}
	}
	for _, a := range foreign {
		if !used[a] {
			t.Errorf("nobody uses %s -> %s any more; remove it from the table", a.from, a.to)
		}
	}
}

func TestBans(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		s.imports(func(imported string) {
			for _, b := range bans {
				standard := !thirdParty(b.what)
				if standard && imported != b.what || !standard && !matches(b.what, imported) {
					continue
				}
				if (len(b.in) == 0 || slices.Contains(b.in, s.pkg)) && !slices.Contains(b.except, s.pkg) {
					t.Errorf("%s imports %s: %s", s.path, imported, b.why)
				}
			}
		})
	}
}

// public reports whether a package is meant for others.
func public(pkg string) bool {
	top, _, _ := strings.Cut(pkg, "/")
	return top == "scanner" || top == "plugins" || top == "proto"
}

// matches reports whether name is what pattern says: itself, a match of
// path.Match, or a package of the foreign module that the pattern names.
func matches(pattern, name string) bool {
	if strings.Contains(pattern, "*") {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	}
	return name == pattern || thirdParty(pattern) && strings.HasPrefix(name, pattern+"/")
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"scanner", "scanner", true},
		{"scanner", "scanner/scannertest", false},
		{"plugins/*", "plugins/noop", true},
		{"plugins/*", "plugins/noop/cmd/noop", false},
		{"plugins/*/cmd/*", "plugins/noop/cmd/noop", true},
		{grpc, grpc + "/codes", true},
		{grpc, "google.golang.org/grpcx", false},
		{"net", "net/http", false},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}
