package conformance

import (
	"math"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

func TestCheckVerdict(t *testing.T) {
	jsonContent := scanner.Content{Kind: scanner.KindJSON, Data: []byte(`{"a":"grün","b":[1,"x"],"c/d":{"~":"y"}}`)}
	text := scanner.Content{Kind: scanner.KindText, Data: []byte("grün")}
	blob := scanner.Content{Kind: scanner.KindBlob, Data: []byte("grün")}
	at := func(pointer string, start, end int) scanner.Finding {
		return scanner.Finding{
			Rule: "acme/x", Category: "secret.x", Redact: true,
			Location: scanner.Location{Pointer: pointer, Start: start, End: end},
		}
	}
	with := func(change func(*scanner.Finding)) scanner.Verdict {
		f := at("/a", 0, 0)
		change(&f)
		return scanner.Redact(f)
	}
	for name, test := range map[string]struct {
		content scanner.Content
		verdict scanner.Verdict
		ok      bool
	}{
		"allow":                  {jsonContent, scanner.Allow(), true},
		"range":                  {jsonContent, scanner.Redact(at("/a", 0, 2)), true},
		"to the end":             {jsonContent, scanner.Redact(at("/a", 4, 5)), true},
		"whole string":           {jsonContent, scanner.Redact(at("/a", 0, 0)), true},
		"element":                {jsonContent, scanner.Redact(at("/b/1", 0, 1)), true},
		"escaped":                {jsonContent, scanner.Redact(at("/c~1d/~0", 0, 1)), true},
		"text":                   {text, scanner.Redact(at("", 2, 4)), true},
		"finding on number":      {jsonContent, scanner.Block(scanner.Finding{Rule: "r", Category: "c", Location: scanner.Location{Pointer: "/b/0"}}), true},
		"finding on blob":        {blob, scanner.Block(scanner.Finding{Rule: "r", Category: "c"}), true},
		"no action":              {jsonContent, scanner.Verdict{}, false},
		"unknown action":         {jsonContent, scanner.Verdict{Action: 99}, false},
		"redact nothing":         {jsonContent, scanner.Redact(), false},
		"allow an edit":          {jsonContent, scanner.Verdict{Action: scanner.ActionAllow, Findings: []scanner.Finding{at("/a", 0, 1)}}, false},
		"cut character":          {jsonContent, scanner.Redact(at("/a", 0, 3)), false},
		"beyond":                 {jsonContent, scanner.Redact(at("/a", 0, 6)), false},
		"empty range":            {jsonContent, scanner.Redact(at("/a", 1, 1)), false},
		"negative":               {jsonContent, scanner.Redact(at("/a", -1, 1)), false},
		"nowhere":                {jsonContent, scanner.Redact(at("/z", 0, 1)), false},
		"beyond the array":       {jsonContent, scanner.Redact(at("/b/2", 0, 1)), false},
		"leading zero":           {jsonContent, scanner.Redact(at("/b/01", 0, 1)), false},
		"through a string":       {jsonContent, scanner.Redact(at("/a/0", 0, 1)), false},
		"no slash":               {jsonContent, scanner.Redact(at("a", 0, 1)), false},
		"edit of number":         {jsonContent, scanner.Redact(at("/b/0", 0, 0)), false},
		"edit of object":         {jsonContent, scanner.Redact(at("/c~1d", 0, 0)), false},
		"range of number":        {jsonContent, scanner.Redact(at("/b/0", 0, 1)), false},
		"pointer in text":        {text, scanner.Redact(at("/a", 0, 1)), false},
		"cut character in text":  {text, scanner.Redact(at("", 0, 3)), false},
		"edit of blob":           {blob, scanner.Redact(at("", 0, 1)), false},
		"no rule":                {jsonContent, with(func(f *scanner.Finding) { f.Rule = "" }), false},
		"rule with space":        {jsonContent, with(func(f *scanner.Finding) { f.Rule = "a b\n" }), false},
		"category in capitals":   {jsonContent, with(func(f *scanner.Finding) { f.Category = "Secret" }), false},
		"category ends in a dot": {jsonContent, with(func(f *scanner.Finding) { f.Category = "secret." }), false},
		"long category":          {jsonContent, with(func(f *scanner.Finding) { f.Category = strings.Repeat("a", 65) }), false},
		"confidence NaN":         {jsonContent, with(func(f *scanner.Finding) { f.Confidence = math.NaN() }), false},
		"confidence above 1":     {jsonContent, with(func(f *scanner.Finding) { f.Confidence = 1.1 }), false},
		"long pointer":           {jsonContent, scanner.Redact(at("/"+strings.Repeat("a", 5000), 0, 1)), false},
		"too many":               {jsonContent, scanner.Flag(make([]scanner.Finding, 1001)...), false},
		"no reason":              {jsonContent, scanner.Verdict{Action: scanner.ActionAllow, Uninspected: []scanner.Uninspected{{}}}, false},
		"a link":                 {jsonContent, scanner.Verdict{Action: scanner.ActionAllow, Link: "https://a.example/r?id=R1"}, true},
		"link to a script":       {jsonContent, scanner.Verdict{Action: scanner.ActionAllow, Link: "javascript://a/"}, false},
		"long link":              {jsonContent, scanner.Verdict{Action: scanner.ActionAllow, Link: "https://a/" + strings.Repeat("a", 1024)}, false},
		"long reference":         {jsonContent, scanner.Verdict{Action: scanner.ActionAllow, Reference: strings.Repeat("a", 257)}, false},
	} {
		if err := CheckVerdict(test.content, test.verdict); (err == nil) != test.ok {
			t.Errorf("%s: got %v, want ok %v", name, err, test.ok)
		}
	}
}
