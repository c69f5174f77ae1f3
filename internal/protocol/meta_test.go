package protocol

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// modernMeta is the _meta of a modern request, for tests.
const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",` +
	`"io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{}}}`

func TestMetaOf(t *testing.T) {
	version, caps := `"io.modelcontextprotocol/protocolVersion":"2026-07-28"`, `"io.modelcontextprotocol/clientCapabilities":{"roots":{}}`
	tests := []struct {
		name, params string
		modern       bool
		wrong        string // the member that the error names
		want         Meta
	}{
		{"nil", ``, false, "", Meta{}},
		{"array", `[{"_meta":{` + version + `}}]`, false, "", Meta{}},
		{"legacy", `{"_meta":{"progressToken":1}}`, false, "", Meta{}},
		{"no object", `{"_meta":"io.modelcontextprotocol/protocolVersion"}`, false, "", Meta{}},
		{"capabilities alone", `{"_meta":{` + caps + `}}`, false, "", Meta{}},
		{"beside _meta", `{` + version + `,"_meta":{}}`, false, "", Meta{}},
		{"required", `{"_meta":{` + version + `,` + caps + `}}`, true, "", Meta{Version: "2026-07-28", Capabilities: []byte(`{"roots":{}}`)}},
		{
			"all", `{"_meta":{` + version + `,` + caps + `,"io.modelcontextprotocol/clientInfo":{"name":"c"},"io.modelcontextprotocol/logLevel":"info"}}`,
			true, "", Meta{Version: "2026-07-28", Capabilities: []byte(`{"roots":{}}`), Info: []byte(`{"name":"c"}`), LogLevel: "info"},
		},
		{"version unknown", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"v999.0.0",` + caps + `}}`, true, "",
			Meta{Version: "v999.0.0", Capabilities: []byte(`{"roots":{}}`)}},
		{"escaped", `{"\u005fmeta":{"io.modelcontextprotocol\/protocolVersion":"2026\u002d07-28",` + caps + `}}`, true, "",
			Meta{Version: "2026-07-28", Capabilities: []byte(`{"roots":{}}`)}},
		{"no capabilities", `{"_meta":{` + version + `}}`, true, MetaCapabilities, Meta{}},
		{"capabilities of another type", `{"_meta":{` + version + `,"io.modelcontextprotocol/clientCapabilities":[]}}`, true, MetaCapabilities, Meta{}},
		{"version of another type", `{"_meta":{"io.modelcontextprotocol/protocolVersion":2,` + caps + `}}`, true, MetaVersion, Meta{}},
		{"empty version", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"",` + caps + `}}`, true, MetaVersion, Meta{}},
		{"info of another type", `{"_meta":{` + version + `,` + caps + `,"io.modelcontextprotocol/clientInfo":"c"}}`, true, MetaInfo, Meta{}},
		{"level of another type", `{"_meta":{` + version + `,` + caps + `,"io.modelcontextprotocol/logLevel":1}}`, true, MetaLogLevel, Meta{}},
		{"unknown level", `{"_meta":{` + version + `,` + caps + `,"io.modelcontextprotocol/logLevel":"Info"}}`, true, MetaLogLevel, Meta{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, modern, err := MetaOf([]byte(tt.params))
			if modern != tt.modern || !sameMeta(m, tt.want) && tt.wrong == "" {
				t.Errorf("got %+v, %v", m, modern)
			}
			var wrong *MetaError
			if errors.As(err, &wrong) != (tt.wrong != "") || wrong != nil && (wrong.Member != tt.wrong || wrong.Code() != CodeInvalidParams) {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}

func TestSetMeta(t *testing.T) {
	m := Meta{Version: "2026-07-28", Info: []byte(`{"name":"relay"}`), LogLevel: "error"}
	const keys = `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"relay"},` +
		`"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"error"`
	for params, want := range map[string]string{
		``:                                    `{"_meta":{` + keys + `}}`,
		`{}`:                                  `{"_meta":{` + keys + `}}`,
		`{"name":"x","a":1.0 }`:               `{"name":"x","a":1.0,"_meta":{` + keys + `} }`,
		`{"_meta":{"progressToken":1},"a":2}`: `{"_meta":{"progressToken":1,` + keys + `},"a":2}`,
		`{"_meta":7}`:                         `{"_meta":{` + keys + `}}`,
		`[1]`:                                 `[1]`,
	} {
		if got := string(SetMeta([]byte(params), m)); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", params, got, want)
		}
	}
	// Nothing of another sender stays.
	got := SetMeta([]byte(`{`+modernMeta+`}`), Meta{Version: "2027-01-01"})
	if m, _, err := MetaOf(got); err != nil || m.Version != "2027-01-01" || m.Info != nil || string(m.Capabilities) != "{}" {
		t.Errorf("got %s", got)
	}
}

func TestStripMeta(t *testing.T) {
	for params, want := range map[string]string{
		``:                                  ``,
		`{"a":1}`:                           `{"a":1}`,
		`{"_meta":{}}`:                      `{"_meta":{}}`, // it was empty before
		`{"_meta":{"a":1} }`:                `{"_meta":{"a":1} }`,
		`{` + modernMeta + `}`:              `{}`,
		`{"a":1, ` + modernMeta + `,"b":2}`: `{"a":1,"b":2}`,
		`{"_meta":{ "io.modelcontextprotocol/logLevel":"info" },"b":2}`:                    `{"b":2}`,
		`{"_meta":{"progressToken":1,"io.modelcontextprotocol/protocolVersion":1,"x":{}}}`: `{"_meta":{"progressToken":1,"x":{}}}`,
	} {
		if got := string(StripMeta([]byte(params))); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", params, got, want)
		}
	}
}

// FuzzMeta: what was said of the sender can be read again; taking it away gives
// back what was there.
func FuzzMeta(f *testing.F) {
	f.Add([]byte(`{`+modernMeta+`,"a":1}`), "2026-07-28", "info")
	f.Add([]byte(` {"_meta":{ }}`), "x\"\n", "")
	f.Add([]byte(`{"_meta":{"io.modelcontextprotocol/logLevel":1},"_meta2":1}`), "v", "debug")
	f.Fuzz(func(t *testing.T, params []byte, version, level string) {
		if jsonrpc.Validate(params, nil) != nil {
			t.Skip()
		}
		_, modern, err := MetaOf(params)
		if err != nil && !modern {
			t.Fatal("an error for a legacy request")
		}
		if params[0] != '{' || version == "" || !LogLevel(level) && level != "" {
			t.Skip()
		}
		m := Meta{Version: version, Info: []byte(`{"name":"x"}`), Capabilities: []byte(`{"a":{}}`), LogLevel: level}
		set := SetMeta(params, m)
		if err := jsonrpc.Validate(set, nil); err != nil {
			t.Fatalf("%s: %v", set, err)
		}
		m.Version, _ = jsonrpc.Unquote(jsonrpc.AppendString(nil, version)) // not UTF-8
		if got, modern, err := MetaOf(set); !modern || err != nil || !sameMeta(got, m) {
			t.Fatalf("%s says %+v, %v", set, got, err)
		}
		stripped := StripMeta(set)
		if err := jsonrpc.Validate(stripped, nil); err != nil {
			t.Fatalf("%s: %v", stripped, err)
		}
		if again := StripMeta(stripped); !bytes.Equal(again, stripped) {
			t.Fatalf("%s, then %s", stripped, again)
		}
		if meta, ok := metaOf(params); !ok || isEmpty(meta) {
			if _, found := jsonrpc.Member(params, "_meta"); !found && !bytes.Equal(stripped, params) {
				t.Fatalf("%s became %s", params, stripped)
			}
		} else if bytes.Equal(StripMeta(params), params) && !bytes.Equal(stripped, params) {
			t.Fatalf("%s became %s", params, stripped)
		}
	})
}

func sameMeta(a, b Meta) bool {
	return a.Version == b.Version && a.LogLevel == b.LogLevel && bytes.Equal(a.Info, b.Info) && bytes.Equal(a.Capabilities, b.Capabilities)
}
