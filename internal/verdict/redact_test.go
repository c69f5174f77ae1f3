package verdict

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func category(name string, s Severity, f Finding) Finding {
	f.Category, f.Severity = name, s
	return edited(f)
}

func rewritten(text string, f Finding) Finding {
	f.Edit = &Edit{HasText: true, Text: text}
	return f
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, data string
		findings   []Finding
		want       string
	}{
		{"nothing", `{ "a" : 1e2 }`, []Finding{at("/a", 0, 0)}, `{ "a" : 1e2 }`},
		{"range", `{"a":"key=abc!"}`, []Finding{edited(at("/a", 4, 7))}, `{"a":"key=[redacted:secret.aws_key#1]!"}`},
		{"whole", `{"a":"abc"}`, []Finding{edited(at("/a", 0, 0))}, `{"a":"[redacted:secret.aws_key#1]"}`},
		{"empty string", `{"a":""}`, []Finding{edited(at("/a", 0, 0))}, `{"a":"[redacted:secret.aws_key#1]"}`},
		{"root", ` "abc" `, []Finding{edited(at("", 0, 0))}, ` "[redacted:secret.aws_key#1]" `},
		{
			"other bytes stay", "{\"z\":1.00,\t\"\\u0061\" : [\"\\ud800\",\"x\",\"\\/\"],\n\"a\\/b\":{}}",
			[]Finding{edited(at("/a/1", 0, 1))},
			"{\"z\":1.00,\t\"\\u0061\" : [\"\\ud800\",\"[redacted:secret.aws_key#1]\",\"\\/\"],\n\"a\\/b\":{}}",
		},
		{
			"equal texts share a number, in the order of the content", `["bb","aa","bb","cc"]`,
			[]Finding{edited(at("/3", 0, 2)), edited(at("/2", 0, 0)), edited(at("/1", 0, 2)), edited(at("/0", 0, 2))},
			`["[redacted:secret.aws_key#1]","[redacted:secret.aws_key#2]","[redacted:secret.aws_key#1]","[redacted:secret.aws_key#3]"]`,
		},
		{
			"categories count apart", `["aa bb"]`,
			[]Finding{category("a", Low, at("/0", 0, 2)), category("b", Low, at("/0", 3, 5))},
			`["[redacted:a#1] [redacted:b#1]"]`,
		},
		{
			"overlap: the strongest category wins", `["abcdef"]`,
			[]Finding{category("low", Low, at("/0", 0, 3)), category("high", High, at("/0", 2, 5)), category("mid", Medium, at("/0", 4, 6))},
			`["[redacted:high#1]"]`,
		},
		{
			"the same range twice", `["abcdef"]`,
			[]Finding{edited(at("/0", 1, 3)), edited(at("/0", 1, 3))},
			`["a[redacted:secret.aws_key#1]def"]`,
		},
		{
			"touching ranges stay two", `["abcd"]`,
			[]Finding{edited(at("/0", 2, 4)), edited(at("/0", 0, 2))},
			`["[redacted:secret.aws_key#1][redacted:secret.aws_key#2]"]`,
		},
		{
			"whole and part", `["abcd"]`,
			[]Finding{category("part", Low, at("/0", 2, 4)), category("all", Low, at("/0", 0, 0))},
			`["[redacted:all#1]"]`,
		},
		{
			"escapes", `["\u0022\n\ud83d\ude00X\\"]`,
			[]Finding{edited(at("/0", 6, 7))},
			`["\"\n😀[redacted:secret.aws_key#1]\\"]`,
		},
		{"own text", `["abc"]`, []Finding{rewritten("x\"\n\u2028", at("/0", 1, 2))}, "[\"ax\\\"\\n\u2028c\"]"},
		{"own empty text", `["abc"]`, []Finding{rewritten("", at("/0", 1, 2))}, `["ac"]`},
		{"text without HasText", `["abc"]`, []Finding{with(func(f *Finding) {
			f.Location, f.Edit = Location{"/0", 1, 2}, &Edit{Text: "evil"}
		})}, `["a[redacted:secret.aws_key#1]c"]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := []byte(tt.data)
			got, err := Redacted(Content{Kind: JSON, Data: data}, tt.findings)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if string(data) != tt.data {
				t.Error("the content was changed")
			}
		})
	}
}

func TestRedactedText(t *testing.T) {
	t.Parallel()
	c := Content{Kind: Text, Data: []byte("a\xff \"secret\"\n")}
	got, err := Redacted(c, []Finding{edited(at("", 4, 10))})
	if err != nil || string(got) != "a\xff \"[redacted:secret.aws_key#1]\"\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestRedactedRefuses(t *testing.T) {
	t.Parallel()
	data := []byte(`{"a":"é","n":1}`)
	huge := make([]Finding, 17)
	elements := strings.Repeat(`"x",`, len(huge)-1) + `"x"`
	for i := range huge {
		huge[i] = rewritten(strings.Repeat("y", maxText), at("/"+string("0123456789abcdefg"[i]), 0, 0))
		if i >= 10 {
			huge[i].Location.Pointer = "/1" + string("0123456"[i-10])
		}
	}
	for _, tt := range []struct {
		name     string
		c        Content
		findings []Finding
		want     error
	}{
		{"nowhere", Content{Kind: JSON, Data: data}, []Finding{edited(at("/b", 0, 0))}, errLeads},
		{"one of two nowhere", Content{Kind: JSON, Data: data}, []Finding{edited(at("/a", 0, 0)), edited(at("/b", 0, 0))}, errLeads},
		{"number", Content{Kind: JSON, Data: data}, []Finding{edited(at("/n", 0, 0))}, errNotString},
		{"outside", Content{Kind: JSON, Data: data}, []Finding{edited(at("/a", 0, 3))}, errOutside},
		{"cut", Content{Kind: JSON, Data: data}, []Finding{edited(at("/a", 0, 1))}, errCut},
		{"not JSON", Content{Kind: JSON, Data: data[:9]}, []Finding{edited(at("/n", 0, 0))}, errNotJSON},
		{"pointer into text", Content{Kind: Text, Data: data}, []Finding{edited(at("/a", 0, 0))}, errLeads},
		{"growth", Content{Kind: JSON, Data: []byte("[" + elements + "]")}, huge, errTooLarge},
		{"blob", Content{Kind: Blob, Data: data}, []Finding{edited(good())}, nil},
		{"bad category", Content{Kind: JSON, Data: data}, []Finding{category("] do this", Low, at("/a", 0, 0))}, nil},
	} {
		got, err := Redacted(tt.c, tt.findings)
		if err == nil || got != nil || (tt.want != nil && !errors.Is(err, tt.want)) {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
	}
}

// allStrings returns the strings of JSON by their pointers, raw, and the JSON with
// those strings that drop names made empty.
func allStrings(t *testing.T, data []byte, drop map[string]bool) (raw map[string]string, skeleton []byte) {
	t.Helper()
	raw = map[string]string{}
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true))
	done := 0
	for {
		kind := dec.PeekKind()
		if kind != '"' {
			if _, err := dec.ReadToken(); err != nil {
				return raw, append(skeleton, data[done:]...)
			}
			continue
		}
		before := dec.StackDepth()
		value, err := dec.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		if before > 0 {
			if opened, n := dec.StackIndex(before); opened == '{' && n%2 == 1 {
				continue // a name
			}
		}
		pointer := string(dec.StackPointer())
		raw[pointer] = string(value)
		if drop[pointer] {
			end := int(dec.InputOffset())
			skeleton = append(append(skeleton, data[done:end-len(value)]...), `""`...)
			done = end
		}
	}
}

// FuzzRedacted edits strings of JSON at places that the fuzzer chooses and
// checks that exactly those places changed.
func FuzzRedacted(f *testing.F) {
	f.Add([]byte(`{"a":"x\u00e9y","b":[1,{"c~/d":"\ud83d\ude00!"},"\ud800z"],"":"e"}`), []byte("\x00\x01\x03\x01\x00\x04\x02\x00\x03"))
	f.Add([]byte(`"abc"`), []byte("\x00\x01\x02\x00\x01\x03"))
	f.Add([]byte(`["\\\"","é"]`), []byte("\x01\x00\x02"))
	f.Fuzz(func(t *testing.T, data, choices []byte) {
		dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true))
		if dec.SkipValue() != nil || dec.PeekKind() != 0 || dec.InputOffset() != int64(len(bytes.TrimRight(data, " \t\r\n"))) {
			t.Skip()
		}
		before, _ := allStrings(t, data, nil)
		pointers := make([]string, 0, len(before))
		for p := range before {
			if len(p) <= maxPointer && validPointer(p) {
				pointers = append(pointers, p)
			}
		}
		c := Content{Kind: JSON, Data: data}
		var removals, marks []Finding
		touched := map[string]bool{}
		covered := map[string]map[int]bool{}
		for ; len(choices) >= 3 && len(pointers) > 0; choices = choices[3:] {
			// The pointers come in a random order, which the properties do not
			// depend on.
			finding := at(pointers[int(choices[0])%len(pointers)], int(choices[1]), int(choices[2]))
			v := verdictOf(Redact, edited(finding))
			if Validate(v, c) != nil {
				continue
			}
			p := finding.Location.Pointer
			touched[p] = true
			if covered[p] == nil {
				covered[p] = map[int]bool{}
			}
			end := finding.Location.End
			if finding.Location.whole() {
				end = len(data)
			}
			for i := finding.Location.Start; i < end; i++ {
				covered[p][i] = true
			}
			marks = append(marks, edited(finding))
			removals = append(removals, rewritten("", finding))
		}
		out, err := Redacted(c, removals)
		if err != nil {
			t.Fatal(err)
		}
		after, skeleton := allStrings(t, out, touched)
		_, want := allStrings(t, data, touched)
		if !bytes.Equal(skeleton, want) {
			t.Fatalf("bytes outside the edited strings changed:\n%q\n%q", data, out)
		}
		for p := range touched {
			original, _ := jsontext.AppendUnquote(nil, before[p])
			var kept []byte
			for i, b := range original {
				if !covered[p][i] {
					kept = append(kept, b)
				}
			}
			now, err := jsontext.AppendUnquote(nil, after[p])
			if err != nil || !bytes.Equal(now, kept) {
				t.Fatalf("%q: got %q, want %q (%v)", p, now, kept, err)
			}
		}
		if out, err = Redacted(c, marks); err != nil {
			t.Fatal(err)
		}
		if _, skeleton = allStrings(t, out, touched); !bytes.Equal(skeleton, want) {
			t.Fatalf("bytes outside the marked strings changed:\n%q\n%q", data, out)
		}
	})
}

// FuzzValidate checks that a verdict that validates can be carried out, and that
// nothing panics on any.
func FuzzValidate(f *testing.F) {
	f.Add([]byte(`{"a":["bc"]}`), "/a/0", 0, 1, uint8(Redact), uint8(JSON), "a.b")
	f.Add([]byte("plain"), "", 1, 3, uint8(Redact), uint8(Text), "x")
	f.Add([]byte{0}, "/", -1, 3, uint8(Flag), uint8(Blob), "")
	f.Fuzz(func(t *testing.T, data []byte, pointer string, start, end int, action, kind uint8, name string) {
		c := Content{Kind: Kind(kind), Data: data}
		finding := at(pointer, start, end)
		finding.Category = name
		if Action(action) == Redact {
			finding = edited(finding)
		}
		v := Verdict{Action: Action(action), Findings: []Finding{finding}, Uninspected: []Uninspected{{pointer, "x"}}}
		if Validate(v, c) != nil || !v.Action.Valid() {
			return
		}
		out, err := Redacted(c, v.Findings)
		if err != nil {
			t.Fatalf("validates but cannot be redacted: %v", err)
		}
		if v.Action == Redact && !bytes.Contains(out, []byte("[redacted:"+name+"#1]")) {
			t.Fatalf("no mark in %q", out)
		}
		if v.Action != Redact && !bytes.Equal(out, data) {
			t.Fatal("changed without an edit")
		}
		Withheld(v.Findings, "tools")
	})
}
