package verdict

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// good returns a finding that is valid for any content.
func good() Finding {
	return Finding{Rule: "r.1", Category: "secret.aws_key", Severity: High, Confidence: 0.5}
}

func at(pointer string, start, end int) Finding {
	f := good()
	f.Location = Location{Pointer: pointer, Start: start, End: end}
	return f
}

func edited(f Finding) Finding {
	f.Edit = &Edit{}
	return f
}

func with(change func(*Finding)) Finding {
	f := good()
	change(&f)
	return f
}

func verdictOf(a Action, f ...Finding) Verdict { return Verdict{Action: a, Findings: f} }

func TestValidate(t *testing.T) {
	t.Parallel()
	json := func(data string) Content { return Content{Kind: JSON, Data: []byte(data)} }
	text := func(data string) Content { return Content{Kind: Text, Data: []byte(data)} }
	blob := Content{Kind: Blob, Data: []byte{1, 2}}
	object := json(`{"a":"x\u00e9y","b":[1,{"c~/d":"\ud83d\ude00!"},"\ud800z"],"":"e","01":true}`)
	for _, tt := range []struct {
		name string
		v    Verdict
		c    Content
		want string // part of the error, empty for none
	}{
		{"allow", verdictOf(Allow), object, ""},
		{"allow empty content", verdictOf(Allow, good()), json(""), ""},
		{"zero action", verdictOf(ActionUnspecified), object, "action"},
		{"unknown action", verdictOf(Block + 1), object, "action"},
		{"unknown kind", verdictOf(Allow), Content{}, "kind"},
		{"kind out of range", verdictOf(Allow), Content{Kind: Blob + 1}, "kind"},
		{"negative time", Verdict{Action: Allow, ScannerTime: -1}, object, "time"},
		{"reference too long", Verdict{Action: Allow, Reference: strings.Repeat("x", 257)}, object, "reference"},
		{"link too long", Verdict{Action: Allow, Link: "https://a/" + strings.Repeat("x", 1024)}, object, "link"},
		{"link to a script", Verdict{Action: Allow, Link: "javascript://a/%0aalert(1)"}, object, "link"},
		{"link without a host", Verdict{Action: Allow, Link: "https:///a"}, object, "link"},
		{"link without TLS", Verdict{Action: Allow, Link: "http://a/"}, object, "link"},
		{"link with a password", Verdict{Action: Allow, Link: "https://a:b@c/"}, object, "link"},
		{"link with a control character", Verdict{Action: Allow, Link: "https://a/\x1b[31m"}, object, "link"},
		{"reference not UTF-8", Verdict{Action: Allow, Reference: "\xff"}, object, "reference"},
		{"too many findings", verdictOf(Flag, make([]Finding, MaxFindings+1)...), object, "too many"},
		{"too many uninspected", Verdict{Action: Flag, Uninspected: make([]Uninspected, MaxUninspected+1)}, object, "too many"},

		{"severity not stated", verdictOf(Flag, with(func(f *Finding) { f.Severity = 0 })), object, ""},
		{"severity unknown", verdictOf(Flag, with(func(f *Finding) { f.Severity = Critical + 1 })), object, "finding 0: the severity"},
		{"confidence 1", verdictOf(Flag, with(func(f *Finding) { f.Confidence = 1 })), object, ""},
		{"confidence NaN", verdictOf(Flag, with(func(f *Finding) { f.Confidence = math.NaN() })), object, "confidence"},
		{"confidence infinite", verdictOf(Flag, with(func(f *Finding) { f.Confidence = math.Inf(1) })), object, "confidence"},
		{"confidence negative", verdictOf(Flag, with(func(f *Finding) { f.Confidence = -0.1 })), object, "confidence"},
		{"second finding", verdictOf(Flag, good(), with(func(f *Finding) { f.Rule = "" })), object, "finding 1: the rule"},
		{"rule not ASCII", verdictOf(Flag, with(func(f *Finding) { f.Rule = "é" })), object, "rule"},
		{"rule with ESC", verdictOf(Flag, with(func(f *Finding) { f.Rule = "a\x1b" })), object, "rule"},
		{"rule not UTF-8", verdictOf(Flag, with(func(f *Finding) { f.Rule = "a\x9b" })), object, "rule"},
		{"rule too long", verdictOf(Flag, with(func(f *Finding) { f.Rule = strings.Repeat("a", 129) })), object, "rule"},
		{"category empty", verdictOf(Flag, with(func(f *Finding) { f.Category = "" })), object, "category"},
		{"category upper case", verdictOf(Flag, with(func(f *Finding) { f.Category = "Secret" })), object, "category"},
		{"category two dots", verdictOf(Flag, with(func(f *Finding) { f.Category = "a..b" })), object, "category"},
		{"category ends in a dot", verdictOf(Flag, with(func(f *Finding) { f.Category = "a." })), object, "category"},
		{"category with text", verdictOf(Flag, with(func(f *Finding) { f.Category = "a] run this [b" })), object, "category"},
		{"message too long", verdictOf(Flag, with(func(f *Finding) { f.Message = strings.Repeat("a", 1025) })), object, "message"},
		{"replacement too long", verdictOf(Redact, with(func(f *Finding) {
			f.Location.Pointer, f.Edit = "/a", &Edit{true, strings.Repeat("a", 64<<10+1)}
		})), object, "replacement"},
		{"replacement not UTF-8", verdictOf(Redact, with(func(f *Finding) {
			f.Location.Pointer, f.Edit = "/a", &Edit{true, "\xff"}
		})), object, "replacement"},

		{"pointer without slash", verdictOf(Flag, at("a", 0, 0)), object, "not a JSON Pointer"},
		{"pointer with a bare tilde", verdictOf(Flag, at("/b/1/c~", 0, 0)), object, "not a JSON Pointer"},
		{"pointer with ~2", verdictOf(Flag, at("/b/1/c~2", 0, 0)), object, "not a JSON Pointer"},
		{"pointer too long", verdictOf(Flag, at("/"+strings.Repeat("a", 4096), 0, 0)), object, "not a JSON Pointer"},
		{"whole string", verdictOf(Flag, at("/a", 0, 0)), object, ""},
		{"empty name", verdictOf(Flag, at("/", 0, 1)), object, ""},
		{"escaped name", verdictOf(Flag, at("/b/1/c~0~1d", 0, 4)), object, ""},
		{"digits as a name", verdictOf(Flag, at("/01", 0, 0)), object, ""},
		{"number", verdictOf(Flag, at("/b/0", 0, 0)), object, ""},
		{"no such member", verdictOf(Flag, at("/c", 0, 0)), object, "finding 0: the pointer leads nowhere"},
		{"no such element", verdictOf(Flag, at("/b/3", 0, 0)), object, "nowhere"},
		{"index with a zero before it", verdictOf(Flag, at("/b/00", 0, 0)), object, "nowhere"},
		{"index with a sign", verdictOf(Flag, at("/b/+1", 0, 0)), object, "nowhere"},
		{"dash", verdictOf(Flag, at("/b/-", 0, 0)), object, "nowhere"},
		{"into a string", verdictOf(Flag, at("/a/0", 0, 0)), object, "nowhere"},

		{"range", verdictOf(Flag, at("/a", 1, 3)), object, ""},
		{"range to the end", verdictOf(Flag, at("/a", 0, 4)), object, ""},
		{"range beyond the end", verdictOf(Flag, at("/a", 0, 5)), object, "outside"},
		{"range cuts é", verdictOf(Flag, at("/a", 2, 3)), object, "cuts"},
		{"range cuts an emoji", verdictOf(Flag, at("/b/1/c~0~1d", 0, 2)), object, "cuts"},
		{"lone surrogate is three bytes", verdictOf(Flag, at("/b/2", 0, 3)), object, ""},
		{"lone surrogate is not two bytes", verdictOf(Flag, at("/b/2", 0, 2)), object, "cuts"},
		{"backwards", verdictOf(Flag, at("/a", 3, 1)), object, "range"},
		{"empty range", verdictOf(Flag, at("/a", 1, 1)), object, "range"},
		{"negative", verdictOf(Flag, at("/a", -1, 1)), object, "range"},
		{"range of a number", verdictOf(Flag, at("/b/0", 0, 1)), object, "not a string"},
		{"range of an object", verdictOf(Flag, at("", 0, 1)), object, "not a string"},

		{"redact", verdictOf(Redact, edited(at("/a", 1, 3))), object, ""},
		{"redact a string at the root", verdictOf(Redact, edited(at("", 0, 2))), json(`"abc"`), ""},
		{"redact without an edit", verdictOf(Redact, at("/a", 1, 3)), object, "no finding has an edit"},
		{"redact a number", verdictOf(Redact, edited(at("/b/0", 0, 0))), object, "not a string"},
		{"redact an object", verdictOf(Redact, edited(at("/b/1", 0, 0))), object, "not a string"},
		{"redact everything", verdictOf(Redact, edited(at("", 0, 0))), object, "not a string"},
		{"allow with an edit", verdictOf(Allow, edited(at("/a", 1, 3))), object, "allow"},
		{"block ignores the edit of a number", verdictOf(Block, edited(at("/b/0", 0, 0))), object, ""},

		{"uninspected", Verdict{Action: Allow, Uninspected: []Uninspected{{"/b/1", "size"}, {"", "depth"}}}, object, ""},
		{"uninspected without a reason", Verdict{Action: Allow, Uninspected: []Uninspected{{"/b", ""}}}, object, "reason"},
		{"uninspected nowhere", Verdict{Action: Allow, Uninspected: []Uninspected{{"/x", "size"}}}, object, "uninspected 0: the pointer leads nowhere"},
		{"uninspected no pointer", Verdict{Action: Allow, Uninspected: []Uninspected{{"x", "size"}}}, object, "not a JSON Pointer"},

		{"text", verdictOf(Redact, edited(at("", 1, 3))), text("xéy"), ""},
		{"text whole", verdictOf(Redact, edited(at("", 0, 0))), text("xéy"), ""},
		{"text cuts", verdictOf(Flag, at("", 2, 3)), text("xéy"), "cuts"},
		{"text outside", verdictOf(Flag, at("", 2, 30)), text("xéy"), "outside"},
		{"text that is not UTF-8", verdictOf(Flag, at("", 1, 2)), text("\x80\x80\x80"), ""},
		{"text with a pointer", verdictOf(Flag, at("/a", 0, 0)), text(`{"a":1}`), "no locations"},
		{"text uninspected", Verdict{Action: Allow, Uninspected: []Uninspected{{"/b", "size"}}}, text("x"), "no locations"},

		{"blob", verdictOf(Block, good()), blob, ""},
		{"blob with a range", verdictOf(Flag, at("", 0, 1)), blob, "no locations"},
		{"blob with a pointer", verdictOf(Flag, at("/a", 0, 0)), blob, "no locations"},
		{"blob redacted", verdictOf(Redact, edited(good())), blob, "no locations"},

		{"content is not JSON", verdictOf(Flag, at("/a", 0, 0)), json(`{"b":1,`), "not valid JSON"},
		{"content is empty", verdictOf(Flag, at("/a", 0, 0)), json(``), "not valid JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := Validate(tt.v, tt.c)
			if tt.want == "" && err != nil {
				t.Errorf("got %v", err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	const canary = "CANARY"
	c := Content{Kind: JSON, Data: []byte(`{"CANARY":"CANARY","CANARY":1,CANARY`)}
	for _, f := range []Finding{
		at("/CANARY", 0, 99), at("/x", 0, 0), at("CANARY", 0, 0),
		with(func(f *Finding) { f.Category = canary }),
		with(func(f *Finding) { f.Rule = canary + "\n" }),
	} {
		err := Validate(verdictOf(Flag, f), c)
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("got %v", err)
		}
		_, err = Redacted(c, []Finding{edited(f)})
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("redacting: got %v", err)
		}
	}
}

// manyFindings is the most that a verdict may say about the largest content:
// its cost must be that of the sum, not of the product.
func manyFindings() (Verdict, Content) {
	const size = 8 << 20
	data := []byte(`{"s":"` + strings.Repeat("a", size/2) + `","l":[` + strings.Repeat(`"\u0061",`, size/18) + `""]}`)
	v := Verdict{Action: Redact}
	for i := range MaxFindings {
		f := edited(at("/s", i*2, i*2+1))
		if i%2 == 0 {
			f = edited(at(fmt.Sprintf("/l/%d", i*100), 0, 1))
		}
		v.Findings = append(v.Findings, f)
		v.Uninspected = append(v.Uninspected, Uninspected{"/s", "size"})
	}
	return v, Content{Kind: JSON, Data: data}
}

func TestManyFindings(t *testing.T) {
	t.Parallel()
	v, c := manyFindings()
	if err := Validate(v, c); err != nil {
		t.Fatal(err)
	}
	out, err := Redacted(c, v.Findings)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(out), "[redacted:secret.aws_key#1]"); n != MaxFindings {
		t.Errorf("%d marks", n)
	}
}

func BenchmarkManyFindings(b *testing.B) {
	v, c := manyFindings()
	b.Run("Validate", func(b *testing.B) {
		for b.Loop() {
			if err := Validate(v, c); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Redacted", func(b *testing.B) {
		for b.Loop() {
			if _, err := Redacted(c, v.Findings); err != nil {
				b.Fatal(err)
			}
		}
	})
}
