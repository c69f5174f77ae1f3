package protocol

import (
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestWellFormed(t *testing.T) {
	tests := map[string]bool{
		ToolsCall: true, Progress: true, "acme.example/x-y_z": true, "$/cancel": true, "rpc.a:b": true,
		strings.Repeat("a", maxMethod): true,
		"":                             false, "tools call": false, "tools/call ": false, "tools/call\x00": false,
		"tools/\u202ecall": false, "tооls/call": false, "a\"b": false, "a\xff": false,
		strings.Repeat("a", maxMethod+1): false,
	}
	for method, want := range tests {
		if WellFormed(method) != want {
			t.Errorf("%q: should be %v", method, want)
		}
	}
}

func TestDisguised(t *testing.T) {
	tests := map[string]bool{
		"Tools/Call": true, ToolsCall + " ": true, "\ttools/call": true, "/tools/call": true, "tools/call/": true, "TOOLS/CALL": true,
		"logging/setlevel": true, "toolſ/call": true, "ta\u017fks/get": true, "Notifications/Cancelled": true, "SERVER/discover": true,
		"taſKs/get": true, "tas\u212as/get": true,
		"": false, "tools/calls": false, "acme/Call": false, "tools_call": false, "tools": false, strings.Repeat(" ", 1000) + Ping: false,
	}
	for _, name := range methods() {
		if !WellFormed(name) {
			t.Errorf("%q is not well formed", name)
		}
		tests[name] = false
		tests[strings.ToUpper(name)] = true
		tests[strings.ToUpper(name[:1])+name[1:]] = true
	}
	for method, want := range tests {
		if Disguised(method) != want {
			t.Errorf("%q: should be %v", method, want)
		}
	}
}

func TestEraOf(t *testing.T) {
	for version, want := range map[string]Era{
		"": Legacy, "2024-11-05": Legacy, LatestLegacy: Legacy, "2025-11-26": Modern, LatestModern: Modern, "2027-01-01": Modern,
		"v999.0.0": Legacy, "DRAFT-2026": Legacy, "9999999999": Legacy, "2026-07-281": Legacy, "2026-0a-28": Legacy,
	} {
		if got := EraOf(version); got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
	if Legacy.String() != "legacy" || Modern.String() != "modern" || Era(0) != Legacy {
		t.Error("names are wrong")
	}
	all := Supported()
	if want := []string{"2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}; !slices.Equal(all, want) {
		t.Errorf("supported: %v", all)
	}
	all[0] = "changed"
	for _, v := range Supported() {
		if KnownModern(v) == KnownLegacy(v) || (EraOf(v) == Modern) != KnownModern(v) {
			t.Errorf("%s belongs to no era", v)
		}
	}
}

func TestNegotiate(t *testing.T) {
	for asked, want := range map[string]string{
		"2024-11-05": "2024-11-05", "2025-03-26": "2025-03-26", "2025-06-18": "2025-06-18", "2025-11-25": "2025-11-25",
		"": LatestLegacy, "2099-01-01": LatestLegacy, "2025-06-18x": LatestLegacy, "x": LatestLegacy,
	} {
		if got := Negotiate(asked); got != want || !KnownLegacy(got) {
			t.Errorf("%q gives %q, want %q", asked, got, want)
		}
	}
	if !KnownLegacy(LatestLegacy) || KnownLegacy("") {
		t.Error("known revisions are wrong")
	}
}

func TestLogLevel(t *testing.T) {
	for level, want := range map[string]bool{"debug": true, "emergency": true, "": false, "Debug": false, "trace": false} {
		if LogLevel(level) != want {
			t.Errorf("%q: should be %v", level, want)
		}
	}
}

// TestShape: members of the protocol cannot be spelled otherwise, members of the
// user can.
func TestShape(t *testing.T) {
	tests := []struct {
		name, frame string
		ok          bool
	}{
		{"method", `{"jsonrpc":"2.0","id":1,"Method":"ping","method":"ping"}`, false},
		{"name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}`, false},
		{"long s", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"argument\u017f":{}}}`, false},
		{"name alone", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"b"}}`, false},
		{"token", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"ProgressToken":1}}}`, false},
		{"tool of a list", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"b","Description":"d"}]}}`, false},
		{"content", `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","Text":"t"}]}}`, false},
		{"nested content", `{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"Messages":[]}}`, false},
		{"arguments", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"Name":1,"name":2,"TEXT":3}}}`, true},
		{"structured content", `{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"Content":1}}}`, true},
		{"schema", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","inputSchema":{"properties":{"Name":{}}}}]}}`, true},
		{"filled form", `{"jsonrpc":"2.0","id":1,"result":{"action":"accept","content":{"Name":"x","name":"y"}}}`, true},
		{"answers", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"inputResponses":{"A":{"action":"accept","content":{"Text":1}},"a":{}}}}`, true},
		{"answer", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"inputResponses":{"a":{"Action":"accept"}}}}`, false},
		{"request in a result", `{"jsonrpc":"2.0","id":1,"result":{"inputRequests":{"a":{"method":"x","params":{"Message":"x"}}}}}`, false},
		{"filter", `{"jsonrpc":"2.0","id":1,"method":"x","params":{"notifications":{"toolslistchanged":true}}}`, false},
		{"experiment", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{"experimental":{"Tools":1},"extensions":{"A":{"B":1}}}}}`, true},
		{"capability", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{"elicitation":{"URL":{}}}}}`, false},
		{"unknown member", `{"jsonrpc":"2.0","id":1,"method":"x","params":{"Acme":1}}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := jsonrpc.Parse([]byte(tt.frame), Message()); (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}
