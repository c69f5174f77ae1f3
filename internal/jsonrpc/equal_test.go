package jsonrpc

import "testing"

func TestEqual(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[true,null]}`, ` { "b" : [ true, null ], "a" : 1 } `, true},
		{`{"a":"\u0041"}`, `{"\u0061":"A"}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1,"b":2}`, `{"a":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`[1]`, `[1,1]`, false},
		{`[1,1]`, `[1]`, false},
		{`9007199254740993`, `9007199254740992`, false},
		{`1`, `1.0`, false},
		{`"1"`, `1`, false},
		{`{}`, ``, false},
		{``, ``, true},
		{`{"a":{"b":{"c":[{"d":1}]}}}`, `{"a":{"b":{"c":[{"d":2}]}}}`, false},
	}
	for _, tt := range tests {
		if Equal([]byte(tt.a), []byte(tt.b)) != tt.want || Equal([]byte(tt.b), []byte(tt.a)) != tt.want {
			t.Errorf("%s and %s: should be %v", tt.a, tt.b, tt.want)
		}
	}
}
