package protocol

import (
	"errors"
	"net/http"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// The examples of the specification, and what it does not say.
var encodings = map[string]string{
	"us-west1": "us-west1", "us west 1": "us west 1", "a\tb": "=?base64?YQli?=",
	"Hello, 世界": "=?base64?SGVsbG8sIOS4lueVjA==?=", " padded ": "=?base64?IHBhZGRlZCA=?=", "line1\nline2": "=?base64?bGluZTEKbGluZTI=?=",
	"=?base64?literal?=": "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?": "=?base64?", "?=": "?=", "=?base64?=": "=?base64?PT9iYXNlNjQ/PQ==?=",
	"": "=?base64??=", "\x7f": "=?base64?fw==?=", "a\r\nX: y": "=?base64?YQ0KWDogeQ==?=", "=?BASE64?eA==?=": "=?BASE64?eA==?=",
}

func TestHeaderEncoding(t *testing.T) {
	for value, want := range encodings {
		if got := encodeHeader(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
		if got, ok := DecodeHeader(want); !ok || got != value {
			t.Errorf("%q: got %q, %v", want, got, ok)
		}
	}
	for value, want := range map[string]string{"  x\t": "x", " =?base64?eA==?= ": "x", "": "", "=?base64?=": "=?base64?=", "a\tb": "a\tb"} {
		if got, ok := DecodeHeader(value); !ok || got != want {
			t.Errorf("%q: got %q, %v", value, got, ok)
		}
	}
	for _, value := range []string{
		"=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "=?base64?SGVs bG8=?=", "=?base64?eB==?=", "=?base64?_w==?=", "=?base64?/w==?=",
		"é", "a\x00b", "a\nb", "\x7f",
	} {
		if got, ok := DecodeHeader(value); ok {
			t.Errorf("%q was decoded to %q", value, got)
		}
	}
}

func TestStandardHeaders(t *testing.T) {
	tests := []struct{ method, params, name string }{
		{ToolsCall, `{"name":"x"}`, "x"},
		{PromptsGet, `{"name":" x"}`, "=?base64?IHg=?="},
		{ResourcesRead, `{"uri":"file:///é"}`, "=?base64?ZmlsZTovLy/DqQ==?="},
		{TasksCancel, `{"taskId":"7"}`, "7"},
		{ToolsList, `{"name":"x"}`, ""},
		{CompletionComplete, `{"ref":{"name":"x"}}`, ""},
		{Subscribe, `{"uri":"x"}`, ""},
		{ToolsCall, `{}`, ""},
	}
	for _, tt := range tests {
		headers := StandardHeaders(LatestModern, tt.method, []byte(tt.params))
		want := []Header{{HeaderVersion, LatestModern}, {HeaderMethod, tt.method}}
		if tt.name != "" {
			want = append(want, Header{HeaderName, tt.name})
		}
		if len(headers) != len(want) {
			t.Fatalf("%s: %v", tt.method, headers)
		}
		h := http.Header{}
		for i, header := range headers {
			if header != want[i] {
				t.Errorf("%s: got %v, want %v", tt.method, header, want[i])
			}
			h.Set(header.Name, header.Value)
		}
		frame := `{"jsonrpc":"2.0","id":1,"method":"` + tt.method + `","params":` + string(SetMeta([]byte(tt.params), Meta{Version: LatestModern})) + `}`
		m, err := jsonrpc.Parse([]byte(frame), Message())
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckHeaders(h.Values, m); err != nil {
			t.Errorf("%s: its own headers are refused: %v", tt.method, err)
		}
	}
}

func TestCheckHeaders(t *testing.T) {
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x",` + modernMeta + `}}`
	good := http.Header{HeaderVersion: {LatestModern}, HeaderMethod: {"tools/call"}, HeaderName: {"x"}}
	cancelled := `{"jsonrpc":"2.0","method":"notifications/cancelled"}`
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + modernMeta + `}}`
	tests := []struct {
		name, frame string
		set         map[string][]string
		wrong       string // the header or member at fault
	}{
		{"good", call, nil, ""},
		{"white space", call, map[string][]string{HeaderName: {" x\t"}, HeaderMethod: {" tools/call"}}, ""},
		{"base64", call, map[string][]string{HeaderName: {"=?base64?eA==?="}}, ""},
		{"no version", call, map[string][]string{HeaderVersion: nil}, HeaderVersion},
		{"empty version", call, map[string][]string{HeaderVersion: {" "}}, HeaderVersion},
		{"other version", call, map[string][]string{HeaderVersion: {"2025-11-25"}}, HeaderVersion},
		{"two versions", call, map[string][]string{HeaderVersion: {LatestModern, LatestModern}}, HeaderVersion},
		{"no method", call, map[string][]string{HeaderMethod: nil}, HeaderMethod},
		{"other method", call, map[string][]string{HeaderMethod: {"prompts/list"}}, HeaderMethod},
		{"case of the method", call, map[string][]string{HeaderMethod: {"TOOLS/CALL"}}, HeaderMethod},
		{"encoded method", call, map[string][]string{HeaderMethod: {"=?base64?dG9vbHMvY2FsbA==?="}}, HeaderMethod},
		{"no name", call, map[string][]string{HeaderName: nil}, HeaderName},
		{"other name", call, map[string][]string{HeaderName: {"y"}}, HeaderName},
		{"case of the name", call, map[string][]string{HeaderName: {"X"}}, HeaderName},
		{"two names", call, map[string][]string{HeaderName: {"x", "x"}}, HeaderName},
		{"bad base64", call, map[string][]string{HeaderName: {"=?base64?eA=?="}}, HeaderName},
		{"bad bytes", call, map[string][]string{HeaderName: {"x\x00"}}, HeaderName},
		{"name of nothing", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + modernMeta + `}}`, nil, HeaderName},
		{"neither name", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + modernMeta + `}}`, map[string][]string{HeaderName: nil}, ""},
		{"name where none belongs", list, map[string][]string{HeaderMethod: {"tools/list"}}, ""},
		{"uri", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"x","name":"y",` + modernMeta + `}}`,
			map[string][]string{HeaderMethod: {"resources/read"}}, ""},
		{"task", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"y",` + modernMeta + `}}`,
			map[string][]string{HeaderMethod: {"tasks/get"}}, HeaderName},
		{"task without", `{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"taskId":"y",` + modernMeta + `}}`,
			map[string][]string{HeaderMethod: {"tasks/get"}, HeaderName: nil}, ""},
		{"no meta", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`, nil, MetaVersion},
		{"no params", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, map[string][]string{HeaderMethod: {"tools/list"}}, MetaVersion},
		{"no capabilities", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
			nil, MetaCapabilities},
		{"notification", cancelled, map[string][]string{HeaderMethod: {"notifications/cancelled"}, HeaderName: nil}, ""},
		{"bare notification", cancelled, map[string][]string{HeaderVersion: nil, HeaderMethod: nil, HeaderName: nil}, ""},
		{"notification with meta", `{"jsonrpc":"2.0","method":"notifications/x","params":{` + modernMeta + `}}`,
			map[string][]string{HeaderVersion: nil, HeaderMethod: nil, HeaderName: nil}, ""},
		{"notification of another method", cancelled, nil, HeaderMethod},
		{"notification of two methods", cancelled, map[string][]string{HeaderMethod: {"notifications/cancelled", "x"}}, HeaderMethod},
		{"notification of two versions", cancelled, map[string][]string{HeaderVersion: {LatestModern, "x"}}, HeaderVersion},
		{"notification of another version", `{"jsonrpc":"2.0","method":"notifications/x","params":{` + modernMeta + `}}`,
			map[string][]string{HeaderVersion: {"2027-01-01"}, HeaderMethod: nil}, HeaderVersion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := jsonrpc.Parse([]byte(tt.frame), Message())
			if err != nil {
				t.Fatal(err)
			}
			h := http.Header{}
			for name, values := range good {
				h[http.CanonicalHeaderKey(name)] = values
			}
			for name, values := range tt.set {
				h[http.CanonicalHeaderKey(name)] = values
			}
			err = CheckHeaders(h.Values, m)
			var header *HeaderError
			var meta *MetaError
			got := ""
			switch {
			case errors.As(err, &header):
				if got = header.Header; header.Code() != CodeHeaderMismatch {
					t.Error("wrong code")
				}
			case errors.As(err, &meta):
				got = meta.Member
			}
			if got != tt.wrong || (err == nil) != (got == "") {
				t.Errorf("got %v, want %q", err, tt.wrong)
			}
		})
	}
}

// FuzzHeader: every value survives a header, and no two values share one.
func FuzzHeader(f *testing.F) {
	for value, encoded := range encodings {
		f.Add(value)
		f.Add(encoded)
	}
	f.Fuzz(func(t *testing.T, value string) {
		text, _ := jsonrpc.Unquote(jsonrpc.AppendString(nil, value)) // UTF-8
		encoded := encodeHeader(text)
		for i := range len(encoded) {
			if encoded[i] < ' ' || encoded[i] > '~' {
				t.Fatalf("%q is no header", encoded)
			}
		}
		if got, ok := DecodeHeader(encoded); !ok || got != text {
			t.Fatalf("%q became %q", text, got)
		}
		if decoded, ok := DecodeHeader(value); ok {
			if again, ok := DecodeHeader(encodeHeader(decoded)); !ok || again != decoded {
				t.Fatalf("%q is %q, then %q", value, decoded, again)
			}
		}
	})
}
