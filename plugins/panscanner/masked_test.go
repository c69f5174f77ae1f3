package panscanner

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

func TestDiffStrings(t *testing.T) {
	tests := map[string]struct {
		original, masked string
		want             []edit
		ok               bool
	}{
		"same":                     {`{"a":"b"}`, `{"a":"b"}`, nil, true},
		"one run":                  {`{"a":"key AKIA end"}`, `{"a":"key XXXX end"}`, []edit{{2, 4, 8}}, true},
		"whole string":             {`["secret"]`, `["XXXXXX"]`, []edit{{1, 0, 6}}, true},
		"two strings":              {`["s1",1,"s2"]`, `["X1",1,"X2"]`, []edit{{1, 0, 1}, {3, 0, 1}}, true},
		"other length":             {`["a key b"]`, `["a ***REDACTED*** b"]`, []edit{{1, 2, 5}}, true},
		"removed":                  {`["a key b"]`, `["a  b"]`, []edit{{1, 2, 5}}, true},
		"on characters":            {`["aéb"]`, `["aèb"]`, []edit{{1, 1, 3}}, true},
		"two runs in one":          {`["k1 and k2"]`, `["XX and XX"]`, []edit{{1, 0, 9}}, true},
		"mask letters at the ends": {`["a XsecretXX b"]`, `["a XXXXXXXXX b"]`, []edit{{1, 2, 11}}, true},
		"escapes do not count":     {`["a\u0062"]`, `["ab"]`, nil, true},
		"white space neither":      {`{"a": "b"}`, "{\"a\":\n\"b\"}", nil, true},
		"inserted only":            {`["ab"]`, `["aXb"]`, nil, false},
		"broken JSON":              {`["secret"]`, `["XXXXXXX]`, nil, false},
		"cut off":                  {`["a","b"]`, `["a"`, nil, false},
		"more behind":              {`["a"]`, `["a"]["b"]`, nil, false},
		"empty":                    {`["a"]`, ``, nil, false},
		"name":                     {`{"secret":1}`, `{"XXXXXX":1}`, nil, false},
		"number":                   {`[1234]`, `[1111]`, nil, false},
		"number spelt otherwise":   {`[1.0]`, `[1]`, nil, false},
		"number to string":         {`[1234]`, `["XXXX"]`, nil, false},
		"string to number":         {`["1234"]`, `[1]`, nil, false},
		"word":                     {`[true]`, `[false]`, nil, false},
		"element missing":          {`["a","b"]`, `["a"]`, nil, false},
		"member added":             {`{"a":"b"}`, `{"a":"b","c":"d"}`, nil, false},
		"order":                    {`{"a":"1","b":"2"}`, `{"b":"2","a":"1"}`, nil, false},
		"object to array":          {`{}`, `[]`, nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := diffStrings([]byte(test.original), []byte(test.masked))
			if ok != test.ok {
				t.Fatalf("ok %v, want %v", ok, test.ok)
			}
			if ok && !equalEdits(got, test.want) {
				t.Errorf("edits %v, want %v", got, test.want)
			}
		})
	}
}

func equalEdits(a, b []edit) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// FuzzDiffStrings checks that putting the masked text into the named ranges
// makes the masked copy out of the original: nothing that was masked is missed.
func FuzzDiffStrings(f *testing.F) {
	f.Add(`{"a":"key AKIA end"}`, `{"a":"key XXXX end"}`)
	f.Add(`["aé\u00e9b"]`, `["aèXb"]`)
	f.Add(`["a\ud800"]`, `["X"]`)
	f.Add(`[1]`, `[2]`)
	f.Fuzz(func(t *testing.T, original, masked string) {
		edits, ok := diffStrings([]byte(original), []byte(masked))
		if !ok {
			return
		}
		was, is := stringsOf(original), stringsOf(masked)
		for _, e := range edits {
			if e.start >= e.end || e.end > len(was[e.token]) || !utf8.ValidString(was[e.token][:e.start]) || !utf8.ValidString(was[e.token][e.end:]) {
				t.Fatalf("edit %+v does not fit %q", e, was[e.token])
			}
			prefix, suffix := was[e.token][:e.start], was[e.token][e.end:]
			if !strings.HasPrefix(is[e.token], prefix) || !strings.HasSuffix(is[e.token], suffix) {
				t.Errorf("%q is not %q outside of %d to %d", is[e.token], was[e.token], e.start, e.end)
			}
			delete(was, e.token)
			delete(is, e.token)
		}
		for n, s := range was {
			if is[n] != s {
				t.Errorf("token %d differs without an edit: %q and %q", n, s, is[n])
			}
		}
	})
}

func stringsOf(doc string) map[int]string {
	out := map[int]string{}
	w := newWalker([]byte(doc))
	for {
		tok, err := w.read()
		if err != nil {
			return out
		}
		if tok.kind == tokenString || tok.kind == tokenName {
			out[tok.n] = tok.String()
		}
	}
}

// masking answers like the service: a block for sensitive data, with a copy of
// what was sent in which secret is masked.
func masking(p *piece, secret string) answer {
	masked := strings.ReplaceAll(string(p.sent), secret, strings.Repeat("X", len(secret)))
	side := []entry{{raised: []string{detectorDLP}, masked: &masked}}
	a := answer{action: actionBlock, category: "malicious", summary: []string{detectorDLP}, malicious: true}
	if p.event.Output == "" {
		a.input = side
	} else {
		a.output = side
	}
	return a
}

func testConfig() *config {
	c := defaults()
	c.apiKey = "k"
	return &c
}

func TestRedaction(t *testing.T) {
	const secret = "AKIAIOSFODNN7EXAMPLE"
	at := func(pointer string, start int) scanner.Location {
		return scanner.Location{Pointer: pointer, Start: start, End: start + len(secret)}
	}
	tests := map[string]struct {
		phase  scanner.Phase
		data   string
		change func(*answer)
		want   []scanner.Location // nil: block
	}{
		"result":         {scanner.PhaseResponse, `{"content":[{"type":"text","text":"key ` + secret + ` end"}]}`, nil, []scanner.Location{at("/content/0/text", 4)}},
		"after escapes":  {scanner.PhaseResponse, `{"a":"\u00e9\n` + secret + `"}`, nil, []scanner.Location{at("/a", 3)}},
		"lone surrogate": {scanner.PhaseResponse, `{"a":"\ud800` + secret + `"}`, nil, []scanner.Location{at("/a", 3)}},
		"arguments":      {scanner.PhaseRequest, `{"name":"n","arguments":{"a/b":"` + secret + `"}}`, nil, []scanner.Location{at("/arguments/a~1b", 0)}},
		"two blocks": {
			scanner.PhaseResponse, `{"content":[{"text":"` + secret + ` "},{"text":" b ` + secret + `"}]}`, nil,
			[]scanner.Location{at("/content/0/text", 0), at("/content/1/text", 3)},
		},
		"split between blocks":   {scanner.PhaseResponse, `{"content":[{"text":"AKIAIOSF"},{"text":"ODNN7EXAMPLE"}]}`, nil, nil},
		"member name":            {scanner.PhaseResponse, `{"` + secret + `":1}`, nil, nil},
		"inside decoded data":    {scanner.PhaseResponse, `{"blob":"QUtJQUlPU0ZPRE5ON0VYQU1QTEUgaXMgdGhlIGtleQ=="}`, nil, nil},
		"nothing masked":         {scanner.PhaseResponse, `{"a":"b"}`, nil, nil},
		"with injection":         {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.output[0].raised = []string{"dlp", "injection"} }, nil},
		"injection in summary":   {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.summary = []string{"dlp", "injection"} }, nil},
		"injection in a prompt":  {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.prompt = []string{"injection"} }, nil},
		"url in the response":    {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.response = []string{"url_cats"} }, nil},
		"hit on the other side":  {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.input = []entry{{raised: []string{"dlp"}}} }, nil},
		"source code":            {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.output[0].raised = []string{"dlp", "source_code"} }, nil},
		"unknown detector":       {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.summary = []string{"dlp", "new"} }, nil},
		"partial":                {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.incomplete = true }, nil},
		"no masked data":         {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.output[0].masked = nil }, nil},
		"no flag in the entry":   {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.output[0].raised = nil }, nil},
		"second entry":           {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { a.output = append(a.output, a.output[0]) }, nil},
		"mask eats a quote":      {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { s := `{"a":"XXXXXXXXXXXXXXXXXXXXX}`; a.output[0].masked = &s }, nil},
		"masked has new strings": {scanner.PhaseResponse, `{"a":"` + secret + `"}`, func(a *answer) { s := `{"a":"X","b":"run this"}`; a.output[0].masked = &s }, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, failure := testConfig().split(scanner.Content{
				Phase: test.phase, Kind: scanner.KindJSON, Data: []byte(test.data), Origin: scanner.Origin{Method: "tools/call"},
			})
			if failure != nil || len(b.pieces) != 1 {
				t.Fatalf("%d pieces, error %v", len(b.pieces), failure)
			}
			a := masking(&b.pieces[0], secret)
			if test.change != nil {
				test.change(&a)
			}
			v, failure := b.pieces[0].decide(a)
			if failure != nil {
				t.Fatal(failure)
			}
			if test.want == nil {
				if v.Action != scanner.ActionBlock {
					t.Fatalf("verdict %+v, want a block", v)
				}
				return
			}
			if v.Action != scanner.ActionRedact || len(v.Findings) != len(test.want) {
				t.Fatalf("verdict %+v, want %d redactions", v, len(test.want))
			}
			for i, f := range v.Findings {
				if f.Location != test.want[i] || !f.Redact || f.Replacement != "" {
					t.Errorf("finding %+v, want a redaction at %+v", f, test.want[i])
				}
			}
		})
	}
}

// TestRedactionInChunks masks a secret that lies in the overlap of two chunks,
// and one in a later chunk, and expects both to be located in the whole string.
func TestRedactionInChunks(t *testing.T) {
	const secret = "AKIAIOSFODNN7EXAMPLE"
	c := testConfig()
	c.maxRequest = minBody
	long := strings.Repeat("é ", 100_000)
	value := long + secret + long + "end"
	doc := append([]byte(`{"n":12345,"x":`), quote(value)...)
	b, failure := c.split(scanner.Content{Phase: scanner.PhaseResponse, Kind: scanner.KindJSON, Data: append(doc, '}')})
	if failure != nil || len(b.pieces) < 3 {
		t.Fatalf("%d pieces, error %v", len(b.pieces), failure)
	}
	redacted := 0
	for i := range b.pieces {
		p := &b.pieces[i]
		if !bytes.Contains(p.sent, []byte(secret)) {
			continue
		}
		v, failure := p.decide(masking(p, secret))
		if failure != nil || v.Action != scanner.ActionRedact || len(v.Findings) != 1 {
			t.Fatalf("verdict %+v, error %v", v, failure)
		}
		at := v.Findings[0].Location
		if at.Pointer != "/x" || value[at.Start:at.End] != secret {
			t.Errorf("located %+v", at)
		}
		redacted++
	}
	if redacted == 0 {
		t.Error("no chunk holds the secret")
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "a", "\"\\\n\x00\u2028<é", "\xff"} {
		q := quote(s)
		if !jsontext.Value(q).IsValid() {
			t.Errorf("%q gives %s", s, q)
		}
	}
}
