package jsonrpc

import (
	"fmt"
	"slices"
	"testing"
)

func TestMember(t *testing.T) {
	t.Parallel()
	object := []byte(" { \"a\" : {\"b\":\"}\\\"]\"} ,\n\"n\\u0061me\":[1, {\"x\":2}],\"c\":-1.5e3 , \"\":null,\"a\\/b\":\"\\\\\" } ")
	for name, want := range map[string]string{
		"a": `{"b":"}\"]"}`, "name": `[1, {"x":2}]`, "c": "-1.5e3", "": "null", "a/b": `"\\"`,
	} {
		if got, ok := Member(object, name); !ok || string(got) != want {
			t.Errorf("%q: got %q %v", name, got, ok)
		}
	}
	for _, name := range []string{"b", "x", `n\u0061me`, `a\/b`, "A"} {
		if got, ok := Member(object, name); ok {
			t.Errorf("%q: got %q", name, got)
		}
	}
	var names []string
	for name := range Members(object) {
		names = append(names, name)
	}
	if want := []string{"a", "name", "c", "", "a/b"}; !slices.Equal(names, want) {
		t.Errorf("names %q", names)
	}
	for range Members(object) {
		break // must not go on
	}
	for _, other := range []string{`[]`, `[{"a":1}]`, `"a"`, `1`, ``, `null`} {
		if _, ok := Member([]byte(other), "a"); ok {
			t.Errorf("%s has a member", other)
		}
	}
	value, _ := Member([]byte(`{"a":1,"b":2}`), "a")
	if cap(value) != 1 {
		t.Error("appending to a member overwrites what follows it")
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	for array, want := range map[string][]string{
		`[ 1 ,"a,]",[2,3] , {"a":[]},null ]`: {"1", `"a,]"`, "[2,3]", `{"a":[]}`, "null"},
		`[]`:                                 nil,
		`{"a":1}`:                            nil,
		`"[1]"`:                              nil,
	} {
		var got []string
		for e := range Elements([]byte(array)) {
			got = append(got, string(e))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q", array, got)
		}
	}
}

func TestSetMember(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ object, name, value, want string }{
		{`{"a":1,"b":2}`, "a", `[9]`, `{"a":[9],"b":2}`},
		{`{"a":1, "b" : 2 }`, "b", `{}`, `{"a":1, "b" : {} }`},
		{`{ "n\u0061me" : 1}`, "name", `2`, `{ "n\u0061me" : 2}`},
		{`{"x":{"a":1}}`, "a", `2`, `{"x":{"a":1},"a":2}`},
		{`{"x":1 }`, "q\"", `2`, `{"x":1,"q\"":2 }`},
		{`{}`, "a", `2`, `{"a":2}`},
		{` { } `, "a", `2`, ` {"a":2 } `},
		{``, "a", `2`, `{"a":2}`},
		{`[1]`, "a", `2`, `[1]`},
	} {
		in := []byte(tt.object)
		got := SetMember(in, tt.name, []byte(tt.value))
		if string(got) != tt.want {
			t.Errorf("%s: got %s, want %s", tt.object, got, tt.want)
		}
		for i := range got {
			got[i] = 'X'
		}
		if string(in) != tt.object {
			t.Errorf("%s: the result aliases the input", tt.object)
		}
	}
}

func TestDeleteMember(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ object, name, want string }{
		{`{"a":1,"b":2,"c":3}`, "a", `{"b":2,"c":3}`},
		{`{"a":1,"b":2,"c":3}`, "b", `{"a":1,"c":3}`},
		{`{"a":1,"b":2,"c":3}`, "c", `{"a":1,"b":2}`},
		{`{ "a" : 1 , "b" : 2 }`, "a", `{ "b" : 2 }`},
		{`{ "a" : 1 , "b" : 2 }`, "b", `{ "a" : 1 }`},
		{` { "a" : 1 } `, "a", ` {  } `},
		{`{"x":{"a":1}}`, "a", `{"x":{"a":1}}`},
		{`{"n\u0061me":1}`, "name", `{}`},
		{`[1]`, "a", `[1]`},
	} {
		if got := DeleteMember([]byte(tt.object), tt.name); string(got) != tt.want {
			t.Errorf("%s: got %s, want %s", tt.object, got, tt.want)
		}
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, raw string }{
		{"", `""`},
		{"a\"\\/\b\f\n\r\t\x00\x1f\x7fé😀\u2028", "\"a\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\x7fé😀\u2028\""},
	} {
		raw := AppendString([]byte("x"), tt.value)
		if string(raw) != "x"+tt.raw {
			t.Errorf("got %s, want %s", raw, tt.raw)
		}
		if back, ok := Unquote(raw[1:]); !ok || back != tt.value {
			t.Errorf("back: %q %v", back, ok)
		}
	}
	if got := AppendString(nil, "a\xffb\xe2\x82"); string(got) != "\"a\uFFFDb\uFFFD\uFFFD\"" {
		t.Errorf("invalid UTF-8: %q", got)
	}
	for raw, want := range map[string]string{
		`"\ud800"`: "\uFFFD", `"\ud800\ud800x"`: "\uFFFD\uFFFDx", `"\udc00\ud83d\ude00"`: "\uFFFD😀", `"\ud83d\u0041"`: "\uFFFDA", `"\ud83d\n"`: "\uFFFD\n",
	} {
		if got, ok := Unquote([]byte(raw)); !ok || got != want {
			t.Errorf("%s: got %q %v", raw, got, ok)
		}
	}
	for _, raw := range []string{``, `"`, `"a`, `a"`, `"a" `, ` "a"`, `"a"b"`, "\"\n\"", "\"\xff\"", `1`, `"\"`} {
		if got, ok := Unquote([]byte(raw)); ok {
			t.Errorf("%q: got %q", raw, got)
		}
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	for want, got := range map[string][]byte{
		`{"jsonrpc":"2.0","id":7,"method":"a\"b","params":{}}`: AppendRequest(nil, IntID(7), `a"b`, []byte("{}")),
		`{"jsonrpc":"2.0","id":"s","method":"m"}`:              AppendRequest(nil, StringID("s"), "m", nil),
		`{"jsonrpc":"2.0","method":"m","params":[1]}`:          AppendNotification(nil, "m", []byte("[1]")),
		`{"jsonrpc":"2.0","id":-3,"result":null}`:              AppendResult(nil, IntID(-3), []byte("null")),
		`{"jsonrpc":"2.0","id":null,"error":{"code":1}}`:       AppendError(nil, ID{}, []byte(`{"code":1}`)),
	} {
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if m, err := Parse(got, nil); err != nil || m.Kind() == Invalid {
			t.Errorf("%s: %v", got, err)
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	same := map[ID]bool{IntID(1): true}
	if same[StringID("1")] {
		t.Error(`1 and "1" are one id`)
	}
	for raw, want := range map[string]string{
		`1`: "1", `"a"`: `"a"`, `"\u0061"`: `"a"`, `-0`: "-0", "1 ": "1", `"\ud800"`: `"\ud800"`,
		``: "", `null`: "", `{}`: "", `true`: "", `1 2`: "", `"a`: "", `01`: "", ` 1`: "",
	} {
		id, ok := ParseID([]byte(raw))
		if id.Raw() != want || ok != (want != "") || ok == id.IsZero() {
			t.Errorf("%q: got %q %v", raw, id.Raw(), ok)
		}
	}
}

func TestCompact(t *testing.T) {
	t.Parallel()
	in := []byte("{\r\n \"a\":\n[1,\r2, \"x\\n\"\n]}\n")
	if got := Compact(in); string(got) != `{ "a":[1,2, "x\n"]}` {
		t.Errorf("got %q", got)
	}
	line := []byte(`{"a":1}`)
	if got := Compact(line); &got[0] != &line[0] {
		t.Error("a single line was copied")
	}
}

func ExampleSetMember() {
	params := []byte(`{"name":"files__read", "x":1.0}`)
	fmt.Printf("%s\n", SetMember(params, "name", []byte(`"read"`)))
	// Output: {"name":"read", "x":1.0}
}
