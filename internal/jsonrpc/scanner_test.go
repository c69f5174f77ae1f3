package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"
)

func reasonOf(err error) Reason {
	if err == nil {
		return 0
	}
	var parseError *ParseError
	if !errors.As(err, &parseError) {
		return 255
	}
	return parseError.Reason
}

func TestValidate(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, tt := range []struct {
		value string
		want  Reason
	}{
		{`null`, 0}, {`true`, 0}, {`false`, 0}, {` "x" `, 0}, {"\t\r\n{}\n", 0}, {`[]`, 0}, {`[ ]`, 0}, {`{ }`, 0},
		{``, Malformed}, {` `, Malformed}, {`nul`, Malformed}, {`nulL`, Malformed}, {`True`, Malformed}, {`{} {}`, Malformed},
		{"\ufeff{}", Malformed}, {"\x00", Malformed}, {"{}\x00", Malformed}, {"\v{}", Malformed}, {"\u00a0{}", Malformed}, {`/**/1`, Malformed},
		{`NaN`, Malformed}, {`Infinity`, Malformed}, {`'x'`, Malformed}, {`x`, Malformed},

		{`0`, 0}, {`-0`, 0}, {`10`, 0}, {`1.0`, 0}, {`1e5`, 0}, {`1E+5`, 0}, {`-1.25e-10`, 0}, {`123456789012345678901234567890`, 0},
		{`01`, Malformed}, {`-`, Malformed}, {`+1`, Malformed}, {`1.`, Malformed}, {`.5`, Malformed}, {`1e`, Malformed},
		{`1e+`, Malformed}, {`0x1`, Malformed}, {`1_0`, Malformed}, {`-01`, Malformed}, {`1.e1`, Malformed}, {`--1`, Malformed},

		{`[1,2]`, 0}, {`[1 , 2 ]`, 0}, {`[1,]`, Malformed}, {`[,1]`, Malformed}, {`[1 2]`, Malformed}, {`[`, Malformed}, {`[1`, Malformed}, {`]`, Malformed}, {`[1}`, Malformed},
		{`{"a":1}`, 0}, {`{"a" : 1 , "b":2}`, 0}, {`{"a":1,}`, Malformed}, {`{,}`, Malformed}, {`{"a"}`, Malformed}, {`{"a":}`, Malformed},
		{`{a:1}`, Malformed}, {`{1:1}`, Malformed}, {`{"a":1 "b":2}`, Malformed}, {`{"a":1]`, Malformed}, {`{`, Malformed}, {`{"a":1`, Malformed}, {`{"a`, Malformed},

		{`"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"`, 0}, {`"\ud800"`, 0}, {`"\udc00\ud800"`, 0}, {`"\ud800\u0041"`, 0}, {`"\u0000"`, 0},
		{`"\x"`, Malformed}, {`"\u12"`, Malformed}, {`"\u12G4"`, Malformed}, {`"\U0041"`, Malformed}, {`"\`, Malformed}, {`"\"`, Malformed}, {`"\u`, Malformed},
		{"\"\n\"", Malformed}, {"\"\x00\"", Malformed}, {"\"\x1f\"", Malformed}, {"\"\x7f\"", 0}, {`"`, Malformed}, {`"abc`, Malformed},
		{`"é😀"`, 0}, {"\"\xff\"", InvalidUTF8}, {"\"\xc0\x80\"", InvalidUTF8}, {"\"\xed\xa0\x80\"", InvalidUTF8}, {"\"\xf4\x90\x80\x80\"", InvalidUTF8}, {"\"\xc3", Malformed},
		{"{\"\xff\":1}", InvalidUTF8}, {"\"12345678\xff90\"", InvalidUTF8}, {"\"\xe2\x82\"", InvalidUTF8},

		{`{"a":1,"a":2}`, DuplicateName}, {`{"a":1,"\u0061":2}`, DuplicateName}, {`{"\u0061":1,"a":2}`, DuplicateName},
		{`[{"x":{"a":1,"b":{"a":1},"a":2}}]`, DuplicateName}, {`{"":1,"":2}`, DuplicateName}, {`{"\ud800":1,"\udfff":2}`, DuplicateName},
		{`{"\ud800":1,"\ufffd":2}`, DuplicateName}, {`{"a":{"a":{"a":1}},"b":{"a":1}}`, 0}, {`{"a":1,"A":2}`, 0}, {`{"a/b":1,"a\/b":1}`, DuplicateName},

		{nest(MaxDepth), 0}, {nest(MaxDepth + 1), TooDeep}, {strings.Repeat(`{"a":`, MaxDepth) + "1" + strings.Repeat("}", MaxDepth), 0},
		{strings.Repeat(`{"a":`, MaxDepth+1), TooDeep}, {strings.Repeat("[", 1<<20), TooDeep},
	} {
		if got := reasonOf(Validate([]byte(tt.value), nil)); got != tt.want {
			t.Errorf("%.60q: got %v, want %v", tt.value, got, tt.want)
		}
	}
}

// Every byte that ends plain text must be found at every place of a word.
func TestPlain(t *testing.T) {
	t.Parallel()
	for place := range 20 {
		for c := range 256 {
			b := []byte(strings.Repeat("\u00e9a\u0080\x7f ", 5)[:25])
			b[place] = byte(c)
			want := len(b)
			if c == '"' || c == '\\' || c < ' ' {
				want = place
			}
			if got, _ := plain(b, 0, 0); got != want {
				t.Fatalf("byte %#x at %d: got %d", c, place, got)
			}
			ascii := []byte(strings.Repeat("x", 25))
			ascii[place] = byte(c)
			if at, high := plain(ascii, 0, 0); (high&highs != 0) != (c >= 0x80) {
				t.Fatalf("byte %#x at %d: high %x, at %d", c, place, high, at)
			}
		}
	}
}

func object(n int, last string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"name-%d":{"name-%d":0},`, i, i)
	}
	b.WriteString(last + `:0}`)
	return b.String()
}

func TestDuplicatesInLargeObjects(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, linearNames - 1, linearNames, linearNames + 1, 100, 5000} {
		for _, tt := range []struct {
			last string
			want Reason
		}{
			{`"other"`, 0},
			{`"name-0"`, DuplicateName},
			{fmt.Sprintf(`"name-%d"`, n-1), DuplicateName},
			{fmt.Sprintf(`"n\u0061me-%d"`, n/2), DuplicateName},
		} {
			for _, around := range []string{"%s", `{"a":1,"b":%s,"c":1}`} {
				value := fmt.Sprintf(around, object(n, tt.last))
				if got := reasonOf(Validate([]byte(value), nil)); got != tt.want {
					t.Errorf("%d members then %s: got %v, want %v", n, tt.last, got, tt.want)
				}
			}
		}
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	tool := &Shape{Members: map[string]*Shape{"name": nil, "kind": nil, "inputSchema": nil}}
	shape := &Shape{Members: map[string]*Shape{"tools": {Elem: tool}, "_meta": nil, "straße": nil, "ⱥ": nil, "map": {Values: tool}}}
	for _, tt := range []struct {
		value string
		want  Reason
	}{
		{`{"tools":[{"name":1}]}`, 0},
		{`{"tools":[{"name":1,"Name":1}]}`, CaseVariant},
		{`{"tools":[{"Name":1}]}`, CaseVariant},
		{`{"tools":[{},{"na\u004de":1}]}`, CaseVariant},
		{`{"tools":[{"na\u006de":1}]}`, 0},
		{`{"tools":[{"\u212aind":1}]}`, CaseVariant},
		{`{"tools":[{"Kind":1}]}`, CaseVariant},
		{`{"tools":[{"inputſchema":1}]}`, CaseVariant},
		{`{"tools":[{"inputschema":1}]}`, CaseVariant},
		{`{"tools":[{"inputSchema":{"Name":1,"name":2}}]}`, 0},
		{`{"tools":{"Name":1}}`, 0}, // not an array: the shape of elements does not apply
		{`{"Tools":[]}`, CaseVariant},
		{`{"tool\u017f":[]}`, CaseVariant},
		{`{"_META":1}`, CaseVariant},
		{`{"_meta":{"TOOLS":1}}`, 0},
		{`{"STRAßE":1}`, CaseVariant},
		{`{"STRAẞE":1}`, CaseVariant}, // U+1E9E, one byte longer
		{`{"STRASSE":1}`, 0},          // full folding, not simple
		{`{"Ⱥ":1}`, CaseVariant},      // one byte shorter
		{`{"tool":1,"toolss":1}`, 0},
		{`{"x":{"Tools":1}}`, 0},
		{`{"map":{"Name":{"name":1},"name":{"name":1}}}`, 0},
		{`{"map":{"x":{"name":1},"y":{"Name":1}}}`, CaseVariant},
		{`{"map":[{"Name":1}]}`, 0},
	} {
		if got := reasonOf(Validate([]byte(tt.value), shape)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.value, got, tt.want)
		}
	}
}

// The folded form must agree with the definition for every rune there is.
func TestFoldedAgreesWithUnicode(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xD800 && r <= 0xDFFF {
			continue
		}
		next := unicode.SimpleFold(r)
		a, b := appendFolded(nil, []byte(string(r))), appendFolded(nil, []byte(string(next)))
		if !bytes.Equal(a, b) {
			t.Fatalf("%U and %U fold to %q and %q", r, next, a, b)
		}
		if folded := []rune(string(a)); len(folded) != 1 || !strings.EqualFold(string(a), string(r)) {
			t.Fatalf("%U folds to %q", r, a)
		}
		if len(string(next)) > widest*len(string(r)) {
			t.Fatalf("%U is more than %d times as wide as %U", next, widest, r)
		}
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	for _, frame := range []string{
		`{"CANARY":1,"CANARY":2}`, `{"jsonrpc":"CANARY"}`, `{"Method":"CANARY"}`, `CANARY`, `["CANARY"]`, "\"CANARY\xff\"",
	} {
		_, err := Parse([]byte(frame), nil)
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%q: got %v", frame, err)
		}
	}
	if got := Reason(200).String(); got != "refused" {
		t.Errorf("unknown reason: %q", got)
	}
}

// One allocation is the ID. The race detector makes the pool forget at random.
func TestParseAllocates(t *testing.T) {
	frame := []byte(`{"jsonrpc":"2.0","id":12345,"method":"tools/call","params":{"name":"x","arguments":{"a":[1,{"b":"\u00e9"}]}}}`)
	if n := testing.AllocsPerRun(100, func() { _, _ = Parse(frame, nil) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}
