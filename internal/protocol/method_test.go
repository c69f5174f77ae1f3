package protocol

import (
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
