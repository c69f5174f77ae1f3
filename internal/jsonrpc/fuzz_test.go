package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// seeds are JSON and nearly JSON with what parsers disagree about.
var seeds = []string{
	`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":[1,-2.5e+3,null,true]}}}`,
	`{"jsonrpc":"2.0","id":"\u0061","result":{"content":[{"type":"text","text":"\ud83d\ude00 \ud800 é"}]}}`,
	`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}`,
	`{"a":1,"\u0061":2}`, `{"\ud800":1,"\udfff":1}`, `{"method":1,"Method":2}`, `{"paramſ":{}}`, "\"\xff\"", "\xef\xbb\xbf{}",
	"[1,\r\n2]", `[[[[]]]]`, `{"":{"":{}}}`, `"\\\"\/"`, `1e999`, `-0`, `01`, `[1,]`, `{"a":"b\\"}`,
	`{"a0":0,"a1":0,"a2":0,"a3":0,"a4":0,"a5":0,"a6":0,"a7":0,"a8":0,"a9":0,"b0":0,"b1":0,"b2":0,"b3":0,"b4":0,"b5":0,"b6":0,"b7":0,"b8":0,"b9":0,"c0":0,"c1":0,"c2":0,"c3":0,"c4":0,"c5":0,"a3":0}`,
}

func addSeeds(f *testing.F) {
	f.Helper()
	for _, s := range seeds {
		f.Add([]byte(s))
	}
}

// strict says whether another strict parser accepts value.
func strict(value []byte) bool {
	dec := jsontext.NewDecoder(bytes.NewReader(value), jsontext.AllowInvalidUTF8(true))
	if _, err := dec.ReadValue(); err != nil {
		return false
	}
	_, err := dec.ReadToken()
	return errors.Is(err, io.EOF) && utf8.Valid(value)
}

func FuzzValidate(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, value []byte) {
		err := Validate(value, nil)
		if reasonOf(err) == TooDeep {
			return
		}
		if want := strict(value); (err == nil) != want {
			t.Fatalf("got %v, the other parser accepts: %v", err, want)
		}
		if err == nil && !json.Valid(value) {
			t.Fatal("encoding/json refuses it")
		}
		if s, ok := Unquote(value); ok {
			var other string
			if json.Unmarshal(value, &other) != nil || s != other {
				t.Fatalf("Unquote: %q, encoding/json: %q", s, other)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := Parse(frame, nil)
		if err != nil {
			if m.Kind() != Invalid || reasonOf(err) < Malformed || reasonOf(err) > BadEnvelope {
				t.Fatalf("kind %v, %v", m.Kind(), err)
			}
			if id := m.ID.Raw(); id != "" && Validate([]byte(id), nil) != nil {
				t.Fatalf("id %q", id)
			}
			return
		}
		var other map[string]json.RawMessage
		if !json.Valid(frame) || json.Unmarshal(frame, &other) != nil {
			t.Fatal("encoding/json refuses it")
		}
		for name := range other {
			for known := range bare.Members {
				if name != known && strings.EqualFold(name, known) {
					t.Fatalf("accepted %q", name)
				}
			}
		}
		for name, got := range map[string][]byte{"params": m.Params, "result": m.Result, "error": m.Error} {
			if !bytes.Equal(got, other[name]) {
				t.Fatalf("%s: got %q, want %q", name, got, other[name])
			}
		}
		again := rebuild(&m)
		if n, err := Parse(again, nil); err != nil || n.ID != m.ID || n.Method != m.Method || n.Kind() != m.Kind() ||
			!bytes.Equal(n.Params, m.Params) || !bytes.Equal(n.Result, m.Result) || !bytes.Equal(n.Error, m.Error) {
			t.Fatalf("written anew it reads %+v, %v", n, err)
		}
	})
}

// rebuild writes a message from its parts.
func rebuild(m *Message) []byte {
	switch {
	case m.Kind() == Request:
		return AppendRequest(nil, m.ID, m.Method, m.Params)
	case m.Kind() == Notification:
		return AppendNotification(nil, m.Method, m.Params)
	case m.Error != nil:
		return AppendError(nil, m.ID, m.Error)
	default:
		return AppendResult(nil, m.ID, m.Result)
	}
}

// FuzzShape compares the search for case variants with its definition.
func FuzzShape(f *testing.F) {
	f.Add("name", "Name")
	f.Add("Kelvin", "\u212aelvin")
	f.Add("params", "paramſ")
	f.Add("straße", "STRAẞE")
	f.Fuzz(func(t *testing.T, known, name string) {
		if !utf8.ValidString(known) || !utf8.ValidString(name) {
			t.Skip()
		}
		shape := &Shape{Members: map[string]*Shape{known: nil}}
		object := append(append([]byte("{"), AppendString(nil, name)...), ":1}"...)
		want := Reason(0)
		if known != name && strings.EqualFold(known, name) {
			want = CaseVariant
		}
		if got := reasonOf(Validate(object, shape)); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

type pair struct{ name, value string }

func pairs(object []byte) []pair {
	var list []pair
	for name, value := range Members(object) {
		list = append(list, pair{name, string(value)})
	}
	return list
}

// FuzzSplice changes one member of an object and checks that the others, and
// the bytes between them, stay.
func FuzzSplice(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), "a", []byte("[1]"))
		f.Add([]byte(s), "method", []byte(`"x"`))
	}
	f.Add([]byte(" { \"a\" : 1 ,\n\"b\\\\\":[\"]\"]\t} "), "b\\", []byte("{}"))
	f.Fuzz(func(t *testing.T, object []byte, name string, value []byte) {
		pairs(object) // these must end, whatever the bytes
		_ = slices.Collect(Elements(object))
		_, isObject := strings.CutPrefix(strings.TrimLeft(string(object), " \t\r\n"), "{")
		if Validate(object, nil) != nil || Validate(value, nil) != nil || !isObject || !utf8.ValidString(name) {
			SetMember(object, name, value)
			DeleteMember(object, name)
			Compact(object)
			return
		}
		before := pairs(object)
		at := slices.IndexFunc(before, func(p pair) bool { return p.name == name })
		trimmed := string(value)

		want := slices.Clone(before)
		if at >= 0 {
			want[at].value = trimmed
		} else {
			want = append(want, pair{name, trimmed})
		}
		set := SetMember(object, name, value)
		if err := Validate(set, nil); err != nil {
			t.Fatalf("set: %q: %v", set, err)
		}
		got := pairs(set)
		for i := range got {
			if got[i].name == name { // the value's own white space is not part of it
				got[i].value = trimmed
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("set: got %q, want %q", got, want)
		}
		if at >= 0 {
			old, _ := Member(object, name)
			if back := SetMember(set, name, old); len(bytes.TrimSpace(value)) == len(value) && !bytes.Equal(back, object) {
				t.Fatalf("set and set back: %q", back)
			}
		} else if back := DeleteMember(set, name); len(before) > 0 && len(bytes.TrimSpace(value)) == len(value) && !bytes.Equal(back, object) {
			t.Fatalf("added and deleted: %q", back)
		}

		deleted := DeleteMember(object, name)
		if err := Validate(deleted, nil); err != nil {
			t.Fatalf("delete: %q: %v", deleted, err)
		}
		if at >= 0 {
			before = slices.Delete(before, at, at+1)
		}
		if got := pairs(deleted); !slices.Equal(got, before) {
			t.Fatalf("delete: got %q, want %q", got, before)
		}
	})
}

// FuzzLines writes frames and reads them back, whatever the reader's chunks.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{}"), []byte("[1,\r\n2]"), uint8(1), uint16(10))
	f.Add([]byte(`"x"`), []byte("1"), uint8(200), uint16(2))
	f.Fuzz(func(t *testing.T, a, b []byte, chunk uint8, limit uint16) {
		if Validate(a, nil) != nil || Validate(b, nil) != nil {
			t.Skip()
		}
		var lines bytes.Buffer
		w := NewWriter(&lines, WriterOptions{})
		want := [][]byte{Compact(a), Compact(b), Compact(a)}
		for _, frame := range [][]byte{a, b, a} {
			if err := w.Write(frame); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(lines.Bytes(), []byte("\n")); n != len(want) {
			t.Fatalf("%d lines", n)
		}
		r := NewReader(&chunked{lines.Bytes(), int(chunk) + 1}, int(limit))
		for _, frame := range want {
			line, err := r.Next()
			var tooLong *TooLongError
			switch {
			case len(frame) > max(1, int(limit)):
				if !errors.As(err, &tooLong) || !bytes.HasPrefix(frame, tooLong.Head[:min(len(tooLong.Head), int(limit))]) {
					t.Fatalf("got %q, %v", line, err)
				}
			case err != nil || !bytes.Equal(line, frame):
				t.Fatalf("got %q, %v, want %q", line, err, frame)
			}
		}
		if line, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("at the end: %q, %v", line, err)
		}
	})
}

// chunked gives its bytes a few at a time.
type chunked struct {
	b []byte
	n int
}

func (c *chunked) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.b[:min(c.n, len(c.b))])
	c.b = c.b[n:]
	return n, nil
}
