package protocol

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

func TestMirrors(t *testing.T) {
	property := func(schema string) string { return `{"type":"object","properties":{"p":` + schema + `}}` }
	tests := []struct {
		name, schema string
		want         []Mirror
		err          error
	}{
		{"none", `{"type":"object","properties":{"a":{"type":"string"}}}`, nil, nil},
		{"no schema", ``, nil, nil},
		{"one", property(`{"type":"string","x-mcp-header":"Region"}`), []Mirror{{"Region", []string{"p"}, "string"}}, nil},
		{"escaped", property(`{"type":"string","x\u002dmcp-header":"Region"}`), []Mirror{{"Region", []string{"p"}, "string"}}, nil},
		{"in order, nested", `{"properties":{"b":{"type":"object","properties":{"c":{"type":"integer","x-mcp-header":"C"}}},"a":{"type":"boolean","x-mcp-header":"a"}}}`,
			[]Mirror{{"C", []string{"b", "c"}, "integer"}, {"a", []string{"a"}, "boolean"}}, nil},
		{"deep siblings", `{"properties":{"a":{"properties":{"b":{"properties":{"c":{"properties":{"d":{"type":"string","x-mcp-header":"D"},"e":{"type":"string","x-mcp-header":"E"}}}}}}}}}`,
			[]Mirror{{"D", []string{"a", "b", "c", "d"}, "string"}, {"E", []string{"a", "b", "c", "e"}, "string"}}, nil},
		{"or null", property(`{"type":["null","string"],"x-mcp-header":"A"}`), []Mirror{{"A", []string{"p"}, "string"}}, nil},
		{"several types", property(`{"type":["integer","string"],"x-mcp-header":"A"}`), []Mirror{{"A", []string{"p"}, ""}}, nil},
		{"name of a property", `{"properties":{"x-mcp-header":{"type":"string"}}}`, nil, nil},
		{"in an example", property(`{"type":"object","default":{"x-mcp-header":"A"},"examples":[{"properties":{"a":{"x-mcp-header":""}}}],"const":{"x-mcp-header":1}}`), nil, nil},
		{"property called items", `{"properties":{"items":{"type":"string","x-mcp-header":"A"}}}`, []Mirror{{"A", []string{"items"}, "string"}}, nil},
		{"empty", property(`{"type":"string","x-mcp-header":""}`), nil, errMirrorName},
		{"space", property(`{"type":"string","x-mcp-header":"My Region"}`), nil, errMirrorName},
		{"colon", property(`{"type":"string","x-mcp-header":"a:b"}`), nil, errMirrorName},
		{"not ASCII", property(`{"type":"string","x-mcp-header":"Région"}`), nil, errMirrorName},
		{"tab", property(`{"type":"string","x-mcp-header":"a\t1"}`), nil, errMirrorName},
		{"line", property(`{"type":"string","x-mcp-header":"a\r\nb"}`), nil, errMirrorName},
		{"another type of name", property(`{"type":"string","x-mcp-header":["A"]}`), nil, errMirrorName},
		{"object", property(`{"type":"object","x-mcp-header":"A"}`), nil, errMirrorType},
		{"array", property(`{"type":"array","items":{"type":"string"},"x-mcp-header":"A"}`), nil, errMirrorType},
		{"null", property(`{"type":"null","x-mcp-header":"A"}`), nil, errMirrorType},
		{"number", property(`{"type":"number","x-mcp-header":"A"}`), nil, errMirrorType},
		{"number among others", property(`{"type":["string","number"],"x-mcp-header":"A"}`), nil, errMirrorType},
		{"no type", property(`{"x-mcp-header":"A"}`), nil, errMirrorType},
		{"twice", `{"properties":{"a":{"type":"string","x-mcp-header":"Region"},"b":{"type":"string","x-mcp-header":"Region"}}}`, nil, errMirrorTwice},
		{"twice, other case", `{"properties":{"a":{"type":"string","x-mcp-header":"MyField"},"b":{"properties":{"c":{"type":"string","x-mcp-header":"myfield"}}}}}`, nil, errMirrorTwice},
		{"root", `{"type":"string","x-mcp-header":"A"}`, nil, errMirrorPlace},
	}
	for deep, err := range map[int]error{maxMirrorDepth: nil, maxMirrorDepth + 1: errMirrorPlace} {
		schema, path := `{"type":"string","x-mcp-header":"A"}`, slices.Repeat([]string{"p"}, deep)
		for range deep {
			schema = property(schema)
		}
		want := []Mirror{{"A", path, "string"}}
		if err != nil {
			want = nil
		}
		tests = append(tests, struct {
			name, schema string
			want         []Mirror
			err          error
		}{fmt.Sprint("inside ", deep), schema, want, err})
	}
	for _, place := range []string{
		`"items":%`, `"items":[%]`, `"prefixItems":[{},%]`, `"oneOf":[%]`, `"anyOf":[%]`, `"allOf":[%]`, `"not":%`, `"if":%`, `"then":%`, `"else":%`,
		`"$defs":{"a":%}`, `"definitions":{"a":%}`, `"patternProperties":{"a":%}`, `"additionalProperties":%`, `"dependentSchemas":{"a":%}`,
		`"contains":%`, `"propertyNames":%`, `"unevaluatedProperties":%`, `"allOf":[{"properties":{"a":%}}]`, `"$defs":{"a":{"properties":{"b":%}}}`,
	} {
		schema := string(slices.Concat(splitAt(place, `{"type":"string","x-mcp-header":"A"}`)...))
		tests = append(tests, struct {
			name, schema string
			want         []Mirror
			err          error
		}{place, `{"type":"object",` + schema + `}`, nil, errMirrorPlace})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := jsonrpc.Validate([]byte(tt.schema), nil); err != nil && tt.schema != "" {
				t.Fatal(err)
			}
			got, err := Mirrors([]byte(tt.schema))
			if !errors.Is(err, tt.err) || !slices.EqualFunc(got, tt.want, func(a, b Mirror) bool {
				return a.Header == b.Header && a.Type == b.Type && slices.Equal(a.Path, b.Path)
			}) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// splitAt puts a value where the percent sign is.
func splitAt(pattern, value string) [][]byte {
	i := slices.Index([]byte(pattern), '%')
	return [][]byte{[]byte(pattern[:i]), []byte(value), []byte(pattern[i+1:])}
}

var region = []Mirror{{"Region", []string{"region"}, "string"}, {"Deep", []string{"a", "b"}, "integer"}}

func TestMirrorHeaders(t *testing.T) {
	for params, want := range map[string][]Header{
		`{"arguments":{"region":"us-west1","a":{"b":42.0}}}`:                  {{"Mcp-Param-Region", "us-west1"}, {"Mcp-Param-Deep", "42"}},
		`{"arguments":{"region":"a\r\nX-Evil: 1","a":{"b":-7}}}`:              {{"Mcp-Param-Region", "=?base64?YQ0KWC1FdmlsOiAx?="}, {"Mcp-Param-Deep", "-7"}},
		`{"arguments":{"region":null,"a":{"b":true}}}`:                        {{"Mcp-Param-Deep", "true"}},
		`{"arguments":{"region":{"x":1},"a":{"b":1.5}}}`:                      nil,
		`{"arguments":{"region":[],"a":{"b":9007199254740993}}}`:              nil,
		`{"arguments":{"Region":"x","a":7}}`:                                  nil,
		`{"arguments":7}`:                                                     nil,
		`{"region":"x"}`:                                                      nil,
		``:                                                                    nil,
		`{"arguments":{"region":"","a":{"b":1e2}}}`:                           {{"Mcp-Param-Region", "=?base64??="}, {"Mcp-Param-Deep", "100"}},
		`{"arguments":{"region":"[redacted]","a":{"b":false }}}`:              {{"Mcp-Param-Region", "[redacted]"}, {"Mcp-Param-Deep", "false"}},
		`{"arguments":{"region":"\ud83d\ude00","a":{"b":-9007199254740991}}}`: {{"Mcp-Param-Region", "=?base64?8J+YgA==?="}, {"Mcp-Param-Deep", "-9007199254740991"}},
	} {
		if got := MirrorHeaders(region, []byte(params)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", params, got, want)
		}
	}
}

func TestCheckMirrors(t *testing.T) {
	const params = `{"arguments":{"region":"us-west1","a":{"b":42}}}`
	tests := []struct {
		name, params string
		header       map[string][]string
		ok           bool
	}{
		{"good", params, map[string][]string{"Mcp-Param-Region": {"us-west1"}, "Mcp-Param-Deep": {"42"}, "X": {"é"}}, true},
		{"other case", params, map[string][]string{"MCP-PARAM-REGION": {" us-west1 "}, "mcp-param-deep": {"42.0"}}, true},
		{"base64", params, map[string][]string{"Mcp-Param-Region": {"=?base64?dXMtd2VzdDE=?="}, "Mcp-Param-Deep": {"=?base64?NDI=?="}}, true},
		{"not asked for", params, map[string][]string{"Mcp-Param-Region": {"us-west1"}, "Mcp-Param-Deep": {"42"}, "Mcp-Param-Other": {"x"}}, true},
		{"missing", params, map[string][]string{"Mcp-Param-Deep": {"42"}}, false},
		{"other value", params, map[string][]string{"Mcp-Param-Region": {"us-west2"}, "Mcp-Param-Deep": {"42"}}, false},
		{"case of the value", params, map[string][]string{"Mcp-Param-Region": {"US-west1"}, "Mcp-Param-Deep": {"42"}}, false},
		{"other number", params, map[string][]string{"Mcp-Param-Region": {"us-west1"}, "Mcp-Param-Deep": {"43"}}, false},
		{"no number", params, map[string][]string{"Mcp-Param-Region": {"us-west1"}, "Mcp-Param-Deep": {"0x2a"}}, false},
		{"twice", params, map[string][]string{"Mcp-Param-Region": {"us-west1", "us-west1"}, "Mcp-Param-Deep": {"42"}}, false},
		{"twice in two cases", params, map[string][]string{"Mcp-Param-Region": {"us-west1"}, "mcp-param-region": {"us-west1"}, "Mcp-Param-Deep": {"42"}}, false},
		{"not valid", params, map[string][]string{"Mcp-Param-Region": {"=?base64?x?="}, "Mcp-Param-Deep": {"42"}}, false},
		{"null", `{"arguments":{"region":null}}`, map[string][]string{}, true},
		{"header of null", `{"arguments":{"region":null}}`, map[string][]string{"Mcp-Param-Region": {"x"}}, false},
		{"header of nothing", `{}`, map[string][]string{"Mcp-Param-Region": {"x"}}, false},
		{"empty header of nothing", `{}`, map[string][]string{"Mcp-Param-Region": {""}}, true},
		{"number in a string", `{"arguments":{"region":"42"}}`, map[string][]string{"Mcp-Param-Region": {"42.0"}}, false},
		{"empty", `{"arguments":{"region":""}}`, map[string][]string{"Mcp-Param-Region": {""}}, true},
		{"empty without", `{"arguments":{"region":""}}`, nil, false},
		{"what no header can say", `{"arguments":{"a":{"b":9007199254740993}}}`, map[string][]string{"Mcp-Param-Deep": {"9007199254740993"}}, false},
		{"object", `{"arguments":{"region":{}}}`, map[string][]string{"Mcp-Param-Region": {"{}"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Mirrored(tt.header)
			if err == nil {
				err = CheckMirrors(region, []byte(tt.params), got)
			}
			var wrong *HeaderError
			if (err == nil) != tt.ok || err != nil && !errors.As(err, &wrong) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := CheckMirrors(region, []byte(params), nil); err != nil {
		t.Errorf("a transport without headers: %v", err)
	}
}

func TestInteger(t *testing.T) {
	for raw, want := range map[string]int64{
		"0": 0, "-0": 0, "42": 42, "42.0": 42, "4.2e1": 42, "420E-1": 42, "-7": -7, "1e15": 1e15, "9007199254740991": maxSafe,
		"0.0e99": 0, "100000000000000.000": 1e14, "-9007199254740991": -maxSafe,
	} {
		if got, ok := integer([]byte(raw)); !ok || got != want {
			t.Errorf("%s: got %d, %v", raw, got, ok)
		}
	}
	for _, raw := range []string{
		"", "9007199254740992", "-9007199254740992", "1e16", "1.5", "9007199254740990.4", "1e-400", "1e400", "1e99999999999", "NaN", "inf", "0x10", "1_0",
		"+1", " 1", "1 ", "--1", "1e", "true", `"1"`, "99999999999999999999", "0.1e", ".", "-",
	} {
		if got, ok := integer([]byte(raw)); ok {
			t.Errorf("%q is %d", raw, got)
		}
	}
}

// FuzzMirror: what the relay mirrors, it accepts as mirrored, whatever the
// schema and the arguments.
func FuzzMirror(f *testing.F) {
	f.Add([]byte(`{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"properties":{"":{"type":["null","integer"],"x-mcp-header":"b"}}}}}`),
		[]byte(`{"arguments":{"a":" \u0000é","b":{"":1.0e1}}}`))
	f.Add([]byte(`{"x-mcp-header":1}`), []byte(`{"arguments":{}}`))
	f.Fuzz(func(t *testing.T, schema, params []byte) {
		if jsonrpc.Validate(schema, nil) != nil || jsonrpc.Validate(params, nil) != nil {
			t.Skip()
		}
		ms, err := Mirrors(schema)
		if err != nil {
			if ms != nil {
				t.Fatal("mirrors and an error")
			}
			return
		}
		sent := map[string][]string{}
		for _, h := range MirrorHeaders(ms, params) {
			if !IsToken(h.Name) {
				t.Fatalf("%q is no name of a header", h.Name)
			}
			sent[h.Name] = append(sent[h.Name], h.Value)
		}
		got, err := Mirrored(sent)
		if err != nil {
			t.Fatalf("%v: %v", sent, err)
		}
		err = CheckMirrors(ms, params, got)
		for i := range ms {
			if raw, found := ms[i].value(params); found {
				if _, ok := mirrorText(raw); !ok {
					return // no header can say it
				}
			}
		}
		if err != nil {
			t.Fatalf("%v: %v", sent, err)
		}
	})
}
