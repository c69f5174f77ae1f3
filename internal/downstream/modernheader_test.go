package downstream

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// mirrorHeaders returns the headers of a request that say what its body says.
func mirrorHeaders(r *http.Request) string {
	var list []string
	for name := range maps.Keys(r.Header) {
		if strings.HasPrefix(name, "Mcp-") {
			list = append(list, name+"="+strings.Join(r.Header[name], "|"))
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestModernHeaders(t *testing.T) {
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		m := received(t, r)
		seen.note(r)
		w.Header().Set("Content-Type", jsonType)
		_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":{}}`, m.ID.Raw())
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	i.SetMirrors(map[string][]protocol.Mirror{"sql": {
		{Header: "Region", Path: []string{"region"}, Type: "string"},
		{Header: "depth", Path: []string{"where", "depth"}, Type: "integer"},
	}})
	for _, tt := range []struct{ method, params, want string }{
		{"server/discover", `{` + meta + `}`, "Mcp-Method=server/discover"},
		{"tools/list", `{` + meta + `,"name":"x"}`, "Mcp-Method=tools/list"},
		{"tools/call", `{"name":"other","arguments":{"region":"eu"},` + meta + `}`, "Mcp-Method=tools/call Mcp-Name=other"},
		{
			"tools/call", `{"name":"sql","arguments":{"region":"eu","where":{"depth":7}},` + meta + `}`,
			"Mcp-Method=tools/call Mcp-Name=sql Mcp-Param-Depth=7 Mcp-Param-Region=eu",
		},
		{"tools/call", `{"name":"sql","arguments":{"region":null},` + meta + `}`, "Mcp-Method=tools/call Mcp-Name=sql"},
		{
			"tools/call", `{"name":"sql","arguments":{"region":"a\r\nX-Evil: b"},` + meta + `}`,
			"Mcp-Method=tools/call Mcp-Name=sql Mcp-Param-Region==?base64?YQ0KWC1FdmlsOiBi?=",
		},
		{"resources/read", `{"uri":"file:///ü",` + meta + `}`, "Mcp-Method=resources/read Mcp-Name==?base64?ZmlsZTovLy/DvA==?="},
		{"prompts/get", `{"name":"p",` + meta + `}`, "Mcp-Method=prompts/get Mcp-Name=p"},
		{"odd\r\nmethod", `{` + meta + `}`, "Mcp-Method==?base64?b2RkDQptZXRob2Q=?="},
	} {
		before := len(seen.all())
		if got := result(t, i, request(tt.method, tt.params)); got != "{}" {
			t.Errorf("%s: %s", tt.params, got)
		}
		all := seen.all()
		if len(all) != before+1 {
			t.Fatalf("%s: %d requests", tt.params, len(all)-before)
		}
		if got := mirrorHeaders(all[before]); !sameHeaders(got, tt.want+" Mcp-Protocol-Version=2026-07-28") {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.method, tt.params, got, tt.want)
		}
		if all[before].Header.Get("X-Evil") != "" {
			t.Error("a value became a header")
		}
	}
}

func sameHeaders(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// TestModernHeadersSayWhatLeaves redacts a secret in the arguments, as the gate
// does, and looks for it in everything that reaches the server.
func TestModernHeadersSayWhatLeaves(t *testing.T) {
	var everything strings.Builder
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.Header.Write(&everything)
		body, _ := io.ReadAll(r.Body)
		everything.Write(body)
		w.WriteHeader(http.StatusBadRequest)
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	i.SetMirrors(map[string][]protocol.Mirror{"sql": {{Header: "Key", Path: []string{"key"}, Type: "string"}}})
	came := []byte(`{"name":"sql","arguments":{"key":"sk-canary"},` + meta + `}`)
	arguments, _ := jsonrpc.Member(came, "arguments")
	leaves := jsonrpc.SetMember(came, "arguments", jsonrpc.SetMember(arguments, "key", []byte(`"[redacted:secret#1]"`)))
	result(t, i, request("tools/call", string(leaves)))
	if got := everything.String(); strings.Contains(got, "canary") || !strings.Contains(got, "Mcp-Param-Key: [redacted:secret#1]") {
		t.Errorf("the server got\n%s", got)
	}
}

// TestModernVersionIsTheMessages sends a message that says another version than
// the connection: header and body must agree, or the server refuses it.
func TestModernVersionIsTheMessages(t *testing.T) {
	var seen requests
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.note(r)
		w.WriteHeader(http.StatusAccepted)
	})
	i := modern(t, HTTP{URL: url}, &notes{})
	result(t, i, request("x", strings.ReplaceAll(`{`+meta+`}`, "2026-07-28", "2027-01-01")))
	result(t, i, request("x", `{}`))
	var got []string
	for _, r := range seen.all() {
		got = append(got, r.Header.Get(versionHeader))
	}
	if !slices.Equal(got, []string{"2027-01-01", "2026-07-28"}) {
		t.Errorf("versions %q", got)
	}
}
