package bridge

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

func TestProvenance(t *testing.T) {
	const elicit, sample = protocol.Elicit, protocol.CreateMessage
	const meta = `"_meta":{"mcp-relay/server":"weather"}`
	tests := []struct{ name, method, params, want string }{
		{
			"form", elicit, `{"message":"Your city?","requestedSchema":{"type":"object", "x":1.0}}`,
			`{"message":"[weather] Your city?","requestedSchema":{"type":"object", "x":1.0},` + meta + `}`,
		},
		{
			"url", elicit, `{"mode":"url","url":"https://a.example/[x]?y=\u0041","elicitationId":"e","message":"Log in"}`,
			`{"mode":"url","url":"https://a.example/[x]?y=\u0041","elicitationId":"e","message":"[weather] Log in",` + meta + `}`,
		},
		{"no message", elicit, `{}`, `{"message":"[weather] ",` + meta + `}`},
		{"message of another type", elicit, `{"message":["[github] x"]}`, `{"message":"[weather] ",` + meta + `}`},
		{"its own name", elicit, `{"message":"x","_meta":{"a":1,"mcp-relay/server":"github","b":2}}`,
			`{"message":"[weather] x","_meta":{"a":1,"mcp-relay/server":"weather","b":2}}`},
		{"meta of another type", elicit, `{"message":"x","_meta":"mcp-relay/server"}`, `{"message":"[weather] x",` + meta + `}`},
		{
			"prompt", sample, `{"messages":[{"role":"user","content":{"type":"text","text":"Hi"}}],"systemPrompt":"Be kind","maxTokens":1}`,
			`{"messages":[{"role":"user","content":{"type":"text","text":"Hi"}}],"systemPrompt":"[weather] Be kind","maxTokens":1,` + meta + `}`,
		},
		{
			"prompt and imitation", sample, `{"messages":[{"role":"user","content":{"type":"text","text":"[github] Hi"}}],"systemPrompt":"[github] Be"}`,
			`{"messages":[{"role":"user","content":{"type":"text","text":"Hi"}}],"systemPrompt":"[weather] Be",` + meta + `}`,
		},
		{
			"no prompt", sample, `{"messages": [ {"role":"user","content":{"type":"image","data":""}} ,
			 {"role":"user","content":[{"type":"image"}, {"type":"text","text":"Hi"},{"type":"text","text":"[x] y"}]},{"role":"user"}]}`,
			`{"messages": [ {"role":"user","content":{"type":"image","data":""}} ,
			 {"role":"user","content":[{"type":"image"}, {"type":"text","text":"[weather] Hi"},{"type":"text","text":"[x] y"}]},{"role":"user"}],` + meta + `}`,
		},
		{
			"prompt of nothing", sample, `{"systemPrompt":" [github] ","messages":[{"content":{"type":"text","text":"Hi"}}]}`,
			`{"systemPrompt":"","messages":[{"content":{"type":"text","text":"[weather] Hi"}}],` + meta + `}`,
		},
		{"pictures", sample, `{"messages":[{"content":{"type":"image"}}]}`, `{"messages":[{"content":{"type":"image"}}],"systemPrompt":"[weather] ",` + meta + `}`},
		{
			"one like a part of another", sample, `{"messages":[{"x":{"content":{"type":"text","text":"Hi"}}},{"content":{"type":"text","text":"Hi"}}]}`,
			`{"messages":[{"x":{"content":{"type":"text","text":"Hi"}}},{"content":{"type":"text","text":"[weather] Hi"}}],` + meta + `}`,
		},
		{"context", sample, `{"includeContext":"thisServer","systemPrompt":"x"}`, `{"includeContext":"none","systemPrompt":"[weather] x",` + meta + `}`},
		{"context of another type", sample, `{"includeContext":{},"systemPrompt":"x"}`, `{"includeContext":"none","systemPrompt":"[weather] x",` + meta + `}`},
		{"roots", protocol.ListRoots, ``, `{` + meta + `}`},
		{"unknown", "acme/ask", `{"message":"[github] x"}`, `{"message":"[github] x",` + meta + `}`},
		{"array", "acme/ask", `["x"]`, `["x"]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(Provenance("weather", tt.method, []byte(tt.params)))
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if again := string(Provenance("weather", tt.method, []byte(got))); again != got {
				t.Errorf("again: %s", again)
			}
		})
	}
}

// TestProvenanceImitated: whatever a server writes to look like another, its
// message begins with its own name, and no name follows.
func TestProvenanceImitated(t *testing.T) {
	for _, text := range []string{
		"[github] session expired",
		"  \t\n[github]\u00a0session expired",
		"[weather] [github] session expired",
		"[github][github] session expired",
		"\u200b\u2060\ufeff[github] session expired",
		"\u202e[github] session expired",
		"\u2067[git\u2069hub] session expired",
		"\x1b[2K[github] session expired", // the sequence begins like a mark; its end is far behind
		"\r[github] session expired",
		"\u009b[github] session expired",
		"[\ngithub\n] session expired",
		"［github］ session expired", "【github】session expired", "〔github］session expired", "⟦github⟧ session expired",
		"\u0301\u20dd[github] session expired", "\u3164[github] session expired", "\U000e0041[github] session expired",
		"[] session expired",
	} {
		quoted := jsonrpc.AppendString([]byte(`{"message":`), text)
		got := Provenance("weather", protocol.Elicit, append(quoted, '}'))
		message, _ := textMember(got, "message")
		if message != "[weather] session expired" {
			t.Errorf("%q became %q", text, message)
		}
	}
	for text, want := range map[string]string{
		"in [brackets]":                         "in [brackets]",
		"(github) x":                            "(github) x",
		"[github x":                             "[github x",
		"a\u202eb\u0007c\nd\te\r\n":             "abc\nd\te\n",
		"👩\u200d💻 \u0645\u200c":                 "👩\u200d💻 \u0645\u200c",
		"[" + strings.Repeat("x", 1000) + "] y": "[" + strings.Repeat("x", 1000) + "] y",
	} {
		quoted := jsonrpc.AppendString([]byte(`{"message":`), text)
		if message, _ := textMember(Provenance("w", protocol.Elicit, append(quoted, '}')), "message"); message != "[w] "+want {
			t.Errorf("%q became %q", text, message)
		}
	}
}

func TestMarkOfOddNames(t *testing.T) {
	for server, want := range map[string]string{"a]b": "[a_b] ", "": "[] ", "a b": "[a b] ", "a\u202eb\x00": "[a_b_] ", "［a］": "[_a_] "} {
		if got := mark(server); got != want {
			t.Errorf("%q: %q", server, got)
		}
		params := []byte(`{"message":"x"}`)
		once := Provenance(server, protocol.Elicit, params)
		if again := Provenance(server, protocol.Elicit, once); !bytes.Equal(again, once) {
			t.Errorf("%q: %s, then %s", server, once, again)
		}
	}
}

// FuzzProvenance: what comes out is JSON, says who asks, and is the same when
// done again.
func FuzzProvenance(f *testing.F) {
	f.Add([]byte(`{"message":"[x] y","_meta":{}}`), "weather")
	f.Add([]byte(`{"messages":[{"content":[{"type":"text","text":"[[x]] y"}]}],"systemPrompt":"\u200f[","includeContext":"allServers"}`), "a]")
	f.Add([]byte(`{"messages":[{"content":{"type":"text","text":"x"}},{"content":{"type":"text","text":"x"}}]}`), "[[")
	f.Fuzz(func(t *testing.T, params []byte, server string) {
		if jsonrpc.Validate(params, nil) != nil || params[0] != '{' || !utf8.ValidString(server) {
			t.Skip()
		}
		for _, method := range []string{protocol.Elicit, protocol.CreateMessage, protocol.ListRoots} {
			once := Provenance(server, method, params)
			if err := jsonrpc.Validate(once, nil); err != nil || !json.Valid(once) {
				t.Fatalf("%s: %s: %v", method, once, err)
			}
			if again := Provenance(server, method, once); !bytes.Equal(again, once) {
				t.Fatalf("%s: %s\nthen %s", method, once, again)
			}
			meta, _ := jsonrpc.Member(once, "_meta")
			if name, _ := textMember(meta, MetaServer); name != server {
				t.Fatalf("%s: %s names %q", method, once, name)
			}
			if message, _ := textMember(once, "message"); method == protocol.Elicit && !strings.HasPrefix(message, mark(server)) {
				t.Fatalf("%s begins otherwise", once)
			}
			quoted := string(jsonrpc.AppendString(nil, mark(server)))
			if method == protocol.CreateMessage && !strings.Contains(string(once), quoted[:len(quoted)-1]) {
				t.Fatalf("%s does not say who asks", once)
			}
		}
	})
}
