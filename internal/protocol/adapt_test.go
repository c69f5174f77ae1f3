package protocol

import (
	"bytes"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestModernResult(t *testing.T) {
	tests := []struct{ method, result, want string }{
		{ToolsCall, `{"content":[ ]}`, `{"content":[ ],"resultType":"complete"}`},
		{ToolsCall, `{}`, `{"resultType":"complete"}`},
		{ToolsCall, `{"resultType":"complete","ttlMs":1}`, `{"resultType":"complete","ttlMs":1}`},
		{ToolsCall, `{"resultType":"input_required","requestState":"forged"}`, `{"resultType":"complete","requestState":"forged"}`},
		{ToolsCall, `{"resultType":7}`, `{"resultType":"complete"}`},
		{ResourcesRead, `{"contents":[]}`, `{"contents":[],"resultType":"complete","ttlMs":0,"cacheScope":"private"}`},
		{ResourcesRead, `{"ttlMs":5}`, `{"ttlMs":5,"resultType":"complete","cacheScope":"private"}`},
		{PromptsGet, `{"messages":[]}`, `{"messages":[],"resultType":"complete"}`},
		{"acme/x", `[1]`, `[1]`},
		{"acme/x", `"x"`, `"x"`},
	}
	for _, tt := range tests {
		got := string(ModernResult(tt.method, []byte(tt.result)))
		if got != tt.want {
			t.Errorf("%s %s: got %s", tt.method, tt.result, got)
		}
		if again := string(ModernResult(tt.method, []byte(got))); again != got {
			t.Errorf("%s: again: %s", got, again)
		}
	}
}

func TestLegacyResult(t *testing.T) {
	const info = `"io.modelcontextprotocol/serverInfo":{"name":"x","version":"1"}`
	tests := []struct{ method, result, want string }{
		{ToolsCall, `{"resultType":"complete","content":[]}`, `{"content":[]}`},
		{ToolsCall, `{"content":[], "resultType":"complete","ttlMs":1,"cacheScope":"x"}`, `{"content":[],"ttlMs":1,"cacheScope":"x"}`},
		{ToolsCall, `{"resultType":"input_required"}`, `{"resultType":"input_required"}`},
		{ToolsCall, `{"resultType":"task","taskId":"1","ttlMs":1}`, `{"resultType":"task","taskId":"1","ttlMs":1}`},
		{ToolsCall, `{"_meta":{` + info + `},"a":1.0}`, `{"a":1.0}`},
		{ToolsCall, `{"_meta":{"x":1,` + info + `},"a":1.0}`, `{"_meta":{"x":1},"a":1.0}`},
		{ToolsCall, `{"_meta":{}}`, `{"_meta":{}}`},
		{ResourcesRead, `{"ttlMs":1,"contents":[],"cacheScope":"public","resultType":"complete"}`, `{"contents":[]}`},
		{"acme/x", `[{"resultType":"complete"}]`, `[{"resultType":"complete"}]`},
	}
	for _, tt := range tests {
		if got := string(LegacyResult(tt.method, []byte(tt.result))); got != tt.want {
			t.Errorf("%s %s: got %s", tt.method, tt.result, got)
		}
	}
}

func TestCacheable(t *testing.T) {
	for _, tt := range []struct {
		result, want string
		ttl          time.Duration
	}{
		{`{"tools":[]}`, `{"tools":[],"resultType":"complete","ttlMs":60000,"cacheScope":"private"}`, 365 * 24 * time.Hour},
		{`{"cacheScope":"public","ttlMs":1e9,"resultType":"x"}`, `{"cacheScope":"private","ttlMs":2500,"resultType":"complete"}`, 2500 * time.Millisecond},
		{``, `{"resultType":"complete","ttlMs":0,"cacheScope":"private"}`, -1},
	} {
		if got := string(Cacheable([]byte(tt.result), tt.ttl)); got != tt.want {
			t.Errorf("%s: got %s", tt.result, got)
		}
	}
	for result, want := range map[string]time.Duration{
		`{"ttlMs":1500}`: 1500 * time.Millisecond, `{"ttlMs":0}`: 0, `{"ttlMs":-5}`: 0, `{"ttlMs":"5"}`: 0, `{"ttlMs":1e3}`: time.Second,
		`{"ttlMs":1e300}`: 24 * time.Hour, `{"ttlMs":1e999}`: 0, `{}`: 0, `[]`: 0, ``: 0,
	} {
		if got := TTL([]byte(result)); got != want {
			t.Errorf("%s: %v", result, got)
		}
	}
	for result, want := range map[string]string{`{}`: Complete, `{"resultType":"task"}`: TaskResult, `{"resultType":null}`: "", `[]`: Complete} {
		if got := ResultType([]byte(result)); got != want {
			t.Errorf("%s: %q", result, got)
		}
	}
}

func TestErrorFor(t *testing.T) {
	const legacy, modern = `{"message":"m","code":-32002,"data":{"uri":"x"}}`, `{"message":"m","code":-32602,"data":{"uri":"x"}}`
	tests := []struct {
		to             Era
		method, object string
		want           string
	}{
		{Modern, ResourcesRead, legacy, modern},
		{Legacy, ResourcesRead, modern, legacy},
		{Modern, ResourcesRead, modern, modern},
		{Legacy, ResourcesRead, legacy, legacy},
		{Modern, ToolsCall, legacy, legacy},
		{Legacy, ToolsCall, modern, modern},
		{Modern, ResourcesRead, `{"code":-32603}`, `{"code":-32603}`},
		{Modern, ResourcesRead, `{"code":"-32002"}`, `{"code":"-32002"}`},
		{Modern, ResourcesRead, `{}`, `{}`},
	}
	for _, tt := range tests {
		if got := string(ErrorFor(tt.to, tt.method, []byte(tt.object))); got != tt.want {
			t.Errorf("%v %s %s: got %s", tt.to, tt.method, tt.object, got)
		}
	}
}

// FuzzAdapt: results stay valid in both directions, and a legacy result comes
// back as it was.
func FuzzAdapt(f *testing.F) {
	f.Add([]byte(`{"content":[] , "_meta":{"a":1}}`), ResourcesRead)
	f.Add([]byte(` { } `), ToolsCall)
	f.Add([]byte(`{"resultType":"input_required","ttlMs":{}}`), ToolsList)
	f.Fuzz(func(t *testing.T, result []byte, method string) {
		if jsonrpc.Validate(result, nil) != nil {
			t.Skip()
		}
		modern, legacy := ModernResult(method, result), LegacyResult(method, result)
		for _, out := range [][]byte{modern, legacy, LegacyResult(method, modern), ErrorFor(Modern, method, result)} {
			if err := jsonrpc.Validate(out, nil); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
		}
		if isObject(result) && ResultType(modern) != Complete {
			t.Fatalf("%s is not complete", modern)
		}
		if _, found := jsonrpc.Member(result, "resultType"); !found && bytes.Equal(legacy, result) && !bytes.Equal(LegacyResult(method, modern), result) {
			t.Fatalf("%s became %s", result, LegacyResult(method, modern))
		}
	})
}
