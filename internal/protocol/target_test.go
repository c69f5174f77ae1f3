package protocol

import (
	"bytes"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestTargetOf(t *testing.T) {
	tests := []struct {
		method, params string
		kind           TargetKind
		value, renamed string // renamed to "new"
	}{
		{ToolsCall, `{"name":"x","arguments":{"name":"y"}}`, ToolTarget, "x", `{"name":"new","arguments":{"name":"y"}}`},
		{ToolsCall, `{"arguments":{"name":"y"},"name":"\u0078"}`, ToolTarget, "x", `{"arguments":{"name":"y"},"name":"new"}`},
		{ToolsCall, `{"uri":"x"}`, NoTarget, "", ""},
		{ToolsCall, `{"name":7}`, NoTarget, "", ""},
		{ToolsCall, `["name"]`, NoTarget, "", ""},
		{ToolsCall, ``, NoTarget, "", ""},
		{PromptsGet, `{"name":"p"}`, PromptTarget, "p", `{"name":"new"}`},
		{ResourcesRead, `{"uri":"file:///x","name":"y"}`, ResourceTarget, "file:///x", `{"uri":"new","name":"y"}`},
		{Subscribe, `{"name":"y","uri":"x"}`, ResourceTarget, "x", `{"name":"y","uri":"new"}`},
		{Unsubscribe, `{"name":"y"}`, NoTarget, "", ""},
		{TasksResult, `{"taskId":"7","name":"y"}`, TaskTarget, "7", `{"taskId":"new","name":"y"}`},
		{TasksUpdate, `{"taskId":7,"uri":"y"}`, NoTarget, "", ""},
		{CompletionComplete, `{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a"}}`, PromptTarget, "p",
			`{"ref":{"type":"ref/prompt","name":"new"},"argument":{"name":"a"}}`},
		{CompletionComplete, `{"ref":{"type":"ref/resource","uri":"file:///{x}"}}`, ResourceTarget, "file:///{x}", `{"ref":{"type":"ref/resource","uri":"new"}}`},
		{CompletionComplete, `{"name":"p"}`, NoTarget, "", ""},
		{CompletionComplete, `{"ref":"p"}`, NoTarget, "", ""},
		{"acme/x", `{"uri":"u","name":"n"}`, ToolTarget, "n", `{"uri":"u","name":"new"}`},
		{"acme/x", `{"taskId":"t","uri":"u"}`, ResourceTarget, "u", `{"taskId":"t","uri":"new"}`},
		{"tasks/get", `{"taskId":"t"}`, TaskTarget, "t", `{"taskId":"new"}`},
		{"acme/x", `{"a":1}`, NoTarget, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.params, func(t *testing.T) {
			got := TargetOf(tt.method, []byte(tt.params))
			if got.Kind != tt.kind || got.Value != tt.value {
				t.Errorf("got %+v", got)
			}
			if got.Kind == NoTarget {
				return
			}
			if renamed := got.Rename([]byte(tt.params), "new"); string(renamed) != tt.renamed {
				t.Errorf("renamed %s, want %s", renamed, tt.renamed)
			}
		})
	}
}

func TestProgressToken(t *testing.T) {
	tests := []struct{ params, token, replaced string }{
		{`{"_meta":{"progressToken":"p","x":1},"name":"n"}`, `"p"`, `{"_meta":{"progressToken":5,"x":1},"name":"n"}`},
		{`{"_meta":{"progressToken":1e400}}`, `1e400`, `{"_meta":{"progressToken":5}}`},
		{`{"_meta":{"progressToken":-0}}`, `-0`, `{"_meta":{"progressToken":5}}`},
		{`{"_meta":{"progressToken":null}}`, "", ""},
		{`{"_meta":{"progressToken":{"a":1}}}`, "", ""},
		{`{"_meta":{"progressToken":[1]}}`, "", ""},
		{`{"_meta":{}}`, "", ""},
		{`{"_meta":"progressToken"}`, "", ""},
		{`{"progressToken":1}`, "", ""},
		{`[{"_meta":{"progressToken":1}}]`, "", ""},
		{``, "", ""},
	}
	for _, tt := range tests {
		token, ok := ProgressToken([]byte(tt.params))
		if string(token) != tt.token || ok != (tt.token != "") {
			t.Errorf("%s: token %s", tt.params, token)
		}
		if !ok {
			continue
		}
		if got := SetProgressToken([]byte(tt.params), []byte("5")); string(got) != tt.replaced {
			t.Errorf("%s became %s", tt.params, got)
		}
	}
}

// FuzzTarget: whatever is valid JSON is read without a panic, and what was
// renamed is found under its new name.
func FuzzTarget(f *testing.F) {
	f.Add("tools/call", `{"name":"x","_meta":{"progressToken":1}}`)
	f.Add("completion/complete", `{"ref":{"name":"\ud800"}}`)
	f.Add("acme/x", `{"uri":"\u0000","taskId":7}`)
	f.Fuzz(func(t *testing.T, method, params string) {
		raw := []byte(params)
		if jsonrpc.Validate(raw, nil) != nil {
			return
		}
		if token, ok := ProgressToken(raw); ok {
			again, _ := ProgressToken(SetProgressToken(raw, token))
			if !bytes.Equal(again, token) {
				t.Errorf("token %s became %s", token, again)
			}
		}
		target := TargetOf(method, raw)
		if target.Kind == NoTarget {
			return
		}
		renamed := target.Rename(raw, "new")
		if err := jsonrpc.Validate(renamed, nil); err != nil {
			t.Fatalf("renamed %s: %v", renamed, err)
		}
		if got := TargetOf(method, renamed); got.Value != "new" || got.Kind != target.Kind {
			t.Errorf("%s leads to %+v", renamed, got)
		}
	})
}
