package scanner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func collect(seq iter.Seq2[string, string]) []string {
	var all []string
	for pointer, value := range seq {
		all = append(all, pointer+"="+value)
	}
	return all
}

func TestWalk(t *testing.T) {
	for name, test := range map[string]struct {
		content                Content
		strings, keys, numbers []string
	}{
		"scalar string": {Content{Kind: KindJSON, Data: []byte(`"x"`)}, []string{"=x"}, nil, nil},
		"scalar number": {Content{Kind: KindJSON, Data: []byte(` -1.50e+3 `)}, nil, nil, []string{"=-1.50e+3"}},
		"words":         {Content{Kind: KindJSON, Data: []byte(`[true,false,null]`)}, nil, nil, nil},
		"empty":         {Content{Kind: KindJSON, Data: []byte(`{"a":[],"b":{},"c":""}`)}, []string{"/c="}, []string{"/a=a", "/b=b", "/c=c"}, nil},
		"nested": {
			Content{Kind: KindJSON, Data: []byte(`{"a" : [ "x" , {"b":"y"}, [[ 1 , "z"]], 2 ], "c":"w"}`)},
			[]string{"/a/0=x", "/a/1/b=y", "/a/2/0/1=z", "/c=w"},
			[]string{"/a=a", "/a/1/b=b", "/c=c"},
			[]string{"/a/2/0/0=1", "/a/3=2"},
		},
		"pointers are escaped": {
			Content{Kind: KindJSON, Data: []byte(`{"a/b~c":"x","":"y","\u00e4\/":"z"}`)},
			[]string{"/a~1b~0c=x", "/=y", "/ä~1=z"}, []string{"/a~1b~0c=a/b~c", "/=", "/ä~1=ä/"}, nil,
		},
		"strings are decoded": {
			Content{Kind: KindJSON, Data: []byte(`["\"\\\/\b\f\n\r\t\u00fc\ud83d\ude00","\ud800","\udc00x\ud800\u0041"]`)},
			[]string{"/0=\"\\/\b\f\n\r\tü😀", "/1=\uFFFD", "/2=\uFFFDx\uFFFDA"}, nil, nil,
		},
		"braces in strings": {Content{Kind: KindJSON, Data: []byte(`["]}\"{[,:1",2]`)}, []string{`/0=]}"{[,:1`}, nil, []string{"/1=2"}},
		"text":              {Content{Kind: KindText, Data: []byte("{\"a\":1}\xff")}, []string{"={\"a\":1}\xff"}, nil, nil},
		"blob":              {Content{Kind: KindBlob, Data: []byte(`{"a":"x"}`)}, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := collect(test.content.Strings()); !slices.Equal(got, test.strings) {
				t.Errorf("Strings: got %q, want %q", got, test.strings)
			}
			if got := collect(test.content.Keys()); !slices.Equal(got, test.keys) {
				t.Errorf("Keys: got %q, want %q", got, test.keys)
			}
			if got := collect(test.content.Numbers()); !slices.Equal(got, test.numbers) {
				t.Errorf("Numbers: got %q, want %q", got, test.numbers)
			}
		})
	}
}

func TestWalkStops(t *testing.T) {
	c := Content{Kind: KindJSON, Data: []byte(`{"a":"x","b":"y","c":1,"d":2}`)}
	for name, seq := range map[string]iter.Seq2[string, string]{"strings": c.Strings(), "keys": c.Keys(), "numbers": c.Numbers()} {
		n := 0
		for range seq {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%s: %d values after break", name, n)
		}
	}
}

func TestWalkIsNotBoundByTheStack(t *testing.T) {
	const depth = 4 << 20
	c := Content{Kind: KindJSON, Data: bytes.Repeat([]byte("{"), depth)}
	if got := collect(c.Strings()); len(got) != 0 {
		t.Errorf("got %d strings", len(got))
	}
}

// FuzzWalk compares walking with encoding/json and follows every pointer.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{
		``, `"`, `"\`, `"a`, `[`, `]`, `}`, `{"a"`, `{,}`, `[1,]`, `{"a":{"b":[1,"x",null,true]}}`, `{"a/b":"~","~1":"\/"}`,
		`["\ud800","\udc00\ud800","\ud83d\ude00"]`, "[\"\xff\xc3\"]", `{"\ud800":1}`, `[-0.5e-7,1e400]`, `{"a":[[],{}],"b":""}`, "\"\n\"",
		`[[[[]]],[{"":{"":""}}]]`, `{"a":1}{"b":2}`, `tru`, `1 2`, "\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := Content{Kind: KindJSON, Data: data}
		got := slices.Concat(collect(c.Strings()), collect(c.Keys()), collect(c.Numbers()))
		if !json.Valid(data) {
			return // it did not panic
		}
		var o oracle
		o.dec = json.NewDecoder(bytes.NewReader(data))
		o.dec.UseNumber()
		o.value(t, "")
		want := slices.Concat(o.strings, o.keys, o.numbers)
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", data, got, want)
		}
	})
}

// oracle walks JSON by recursion over the tokens of encoding/json.
type oracle struct {
	dec                    *json.Decoder
	strings, keys, numbers []string
}

func (o *oracle) value(t *testing.T, pointer string) {
	switch token := o.token(t).(type) {
	case string:
		o.strings = append(o.strings, pointer+"="+token)
	case json.Number:
		o.numbers = append(o.numbers, pointer+"="+token.String())
	case json.Delim:
		for i := 0; o.dec.More(); i++ {
			next := pointer + "/" + strconv.Itoa(i)
			if token == '{' {
				key := o.token(t).(string)
				next = pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
				o.keys = append(o.keys, next+"="+key)
			}
			o.value(t, next)
		}
		o.token(t)
	default:
	}
}

func (o *oracle) token(t *testing.T) json.Token {
	token, err := o.dec.Token()
	if err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
	return token
}

func BenchmarkStrings(b *testing.B) {
	for _, size := range []int{10, 1000} {
		var data bytes.Buffer
		data.WriteString(`{"content":[`)
		for i := range size {
			if i > 0 {
				data.WriteByte(',')
			}
			fmt.Fprintf(&data, `{"type":"text","text":"line %d of some text\nthat a tool returned","n":%d}`, i, i)
		}
		data.WriteString("]}")
		c := Content{Kind: KindJSON, Data: data.Bytes()}
		b.Run(strconv.Itoa(data.Len()), func(b *testing.B) {
			b.SetBytes(int64(data.Len()))
			b.ReportAllocs()
			for b.Loop() {
				for range c.Strings() {
				}
			}
		})
	}
}
