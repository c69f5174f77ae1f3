package jsonrpc

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, frame            string
		kind                   Kind
		id, method             string
		params, result, errObj string
	}{
		{"request", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":1}}`, Request, "1", "tools/call", `{"a":1}`, "", ""},
		{"string id", `{"jsonrpc":"2.0","id":"1","method":"ping"}`, Request, `"1"`, "ping", "", "", ""},
		{"escaped id", `{"jsonrpc":"2.0","id":"\u0061\/","method":"ping"}`, Request, `"a/"`, "ping", "", "", ""},
		{"lone surrogate id", `{"jsonrpc":"2.0","id":"\ud800","method":"ping"}`, Request, `"\ud800"`, "ping", "", "", ""},
		{"number id keeps its bytes", `{"jsonrpc":"2.0","id":1.0e0,"method":"ping"}`, Request, `1.0e0`, "ping", "", "", ""},
		{"array params", `{"jsonrpc":"2.0","id":-1,"method":"x","params":[1]}`, Request, "-1", "x", "[1]", "", ""},
		{"notification", ` {"method":"notifications/progress","jsonrpc":"2.0"}` + "\r", Notification, "", "notifications/progress", "", "", ""},
		{"escaped method", `{"jsonrpc":"2.0","id":1,"method":"tools\/c\u0061ll"}`, Request, "1", "tools/call", "", "", ""},
		{"escaped member name", `{"jsonrpc":"2.0","id":1,"m\u0065thod":"a"}`, Request, "1", "a", "", "", ""},
		{"result", `{"jsonrpc":"2.0","id":1,"result":{}}`, Response, "1", "", "", "{}", ""},
		{"null result", `{"jsonrpc":"2.0","id":1,"result":null}`, Response, "1", "", "", "null", ""},
		{"error", `{"jsonrpc":"2.0","id":"x","error":{"code":1}}`, Response, `"x"`, "", "", "", `{"code":1}`},
		{"error with null id", `{"jsonrpc":"2.0","id":null,"error":{}}`, Response, "", "", "", "", `{}`},
		{"error without id", `{"jsonrpc":"2.0","error":{}}`, Response, "", "", "", "", `{}`},
		{"unknown members are dropped", `{"jsonrpc":"2.0","id":1,"result":{},"extra":[{}]}`, Response, "1", "", "", "{}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse([]byte(tt.frame), nil)
			if err != nil {
				t.Fatal(err)
			}
			if m.Kind() != tt.kind || m.ID.Raw() != tt.id || m.Method != tt.method ||
				string(m.Params) != tt.params || string(m.Result) != tt.result || string(m.Error) != tt.errObj {
				t.Errorf("got %v %q %q %q %q %q", m.Kind(), m.ID.Raw(), m.Method, m.Params, m.Result, m.Error)
			}
			if string(m.Frame) != tt.frame {
				t.Errorf("frame %q", m.Frame)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, frame string
		reason      Reason
		id          string
	}{
		{"empty", ``, Malformed, ""},
		{"cut", `{"jsonrpc":"2.0","id":7,"method":"x"`, Malformed, "7"},
		{"two values", `{"jsonrpc":"2.0","id":7,"method":"x"}{}`, Malformed, "7"},
		{"cut in the id", `{"jsonrpc":"2.0","id":12`, Malformed, ""},
		{"cut in a string", `{"jsonrpc":"2.0","id":"a","result":{"x":"yyyy`, Malformed, `"a"`},
		{"id only inside", `{"jsonrpc":"2.0","params":{"id":3},"method":}`, Malformed, ""},
		{"id after the fault", `{"jsonrpc":"2.0","params":{"a":1,"a":2},"id":"q","method":"x"}`, DuplicateName, `"q"`},
		{"id in doubt", `{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}`, DuplicateName, ""},
		{"batch", ` [{"jsonrpc":"2.0","id":1,"method":"x"}]`, Batch, ""},
		{"number", `1`, BadEnvelope, ""},
		{"no version", `{"id":1,"method":"x"}`, BadEnvelope, "1"},
		{"wrong version", `{"jsonrpc":"1.0","id":1,"method":"x"}`, BadEnvelope, "1"},
		{"version is a number", `{"jsonrpc":2.0,"id":1,"method":"x"}`, BadEnvelope, "1"},
		{"null id in a request", `{"jsonrpc":"2.0","id":null,"method":"x"}`, BadEnvelope, ""},
		{"null id in a result", `{"jsonrpc":"2.0","id":null,"result":{}}`, BadEnvelope, ""},
		{"result without id", `{"jsonrpc":"2.0","result":{}}`, BadEnvelope, ""},
		{"object id", `{"jsonrpc":"2.0","id":{},"method":"x"}`, BadEnvelope, ""},
		{"boolean id", `{"jsonrpc":"2.0","id":true,"method":"x"}`, BadEnvelope, ""},
		{"method is a number", `{"jsonrpc":"2.0","id":1,"method":1}`, BadEnvelope, "1"},
		{"empty method", `{"jsonrpc":"2.0","id":1,"method":""}`, BadEnvelope, "1"},
		{"params is a string", `{"jsonrpc":"2.0","id":1,"method":"x","params":"y"}`, BadEnvelope, "1"},
		{"params is null", `{"jsonrpc":"2.0","id":1,"method":"x","params":null}`, BadEnvelope, "1"},
		{"method and result", `{"jsonrpc":"2.0","id":1,"method":"x","result":{}}`, BadEnvelope, "1"},
		{"method and error", `{"jsonrpc":"2.0","id":1,"method":"x","error":{}}`, BadEnvelope, "1"},
		{"result and error", `{"jsonrpc":"2.0","id":1,"result":{},"error":{}}`, BadEnvelope, "1"},
		{"result and params", `{"jsonrpc":"2.0","id":1,"result":{},"params":{}}`, BadEnvelope, "1"},
		{"error is a string", `{"jsonrpc":"2.0","id":1,"error":"x"}`, BadEnvelope, "1"},
		{"neither", `{"jsonrpc":"2.0","id":1}`, BadEnvelope, "1"},
		{"Method", `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`, CaseVariant, "1"},
		{"escaped Method", `{"jsonrpc":"2.0","id":1,"method":"ping","\u004dethod":"tools/call"}`, CaseVariant, "1"},
		{"Result alone", `{"jsonrpc":"2.0","id":1,"Result":{}}`, CaseVariant, "1"},
		{"param\u017f", `{"jsonrpc":"2.0","id":1,"method":"x","params":{},"paramſ":{}}`, CaseVariant, "1"},
		{"escaped param\u017f", `{"jsonrpc":"2.0","id":1,"method":"x","param\u017f":{}}`, CaseVariant, "1"},
		{"Code in error", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"Code":2}}`, CaseVariant, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse([]byte(tt.frame), nil)
			var parseError *ParseError
			if !errors.As(err, &parseError) || parseError.Reason != tt.reason {
				t.Fatalf("got %v, want %v", err, tt.reason)
			}
			if m.ID.Raw() != tt.id || m.Kind() != Invalid {
				t.Errorf("id %q, kind %v", m.ID.Raw(), m.Kind())
			}
		})
	}
}
