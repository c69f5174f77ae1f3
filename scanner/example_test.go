package scanner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/scannertest"
)

// The scanner of the documentation's examples, by hand: `relay plugin new` writes
// one like it.

func NewWords() scanner.Scanner { return &words{} }

// words redacts words that must not leave the house.
type words struct {
	listed atomic.Pointer[[]string]
}

func (*words) Describe() scanner.Info {
	return scanner.Info{
		Name:          "words",
		Version:       "0.1.0",
		Deterministic: true,
		ConfigSchema: []byte(`{
			"type": "object",
			"properties": {"words": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
			"required": ["words"],
			"additionalProperties": false
		}`),
	}
}

func (w *words) Configure(_ context.Context, config []byte) error {
	var c struct {
		Words []string `json:"words"`
	}
	d := json.NewDecoder(strings.NewReader(string(config)))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil || len(c.Words) == 0 {
		return scanner.Problems{{Pointer: "/words", Message: "list at least one word, and nothing else"}}
	}
	w.listed.Store(&c.Words)
	return nil
}

func (w *words) Scan(ctx context.Context, c scanner.Content) (scanner.Verdict, error) {
	if c.Kind == scanner.KindBlob {
		v := scanner.Allow()
		v.Uninspected = []scanner.Uninspected{{Reason: "media type"}}
		return v, nil
	}
	for _, name := range c.Keys() {
		if _, _, found := w.find(name); found {
			return scanner.Block(scanner.Finding{Rule: "words/name", Category: "secret.word"}), nil
		}
	}
	var findings []scanner.Finding
	for pointer, text := range c.Strings() {
		if err := ctx.Err(); err != nil {
			return scanner.Verdict{}, err
		}
		if start, end, found := w.find(text); found {
			findings = append(findings, scanner.Finding{
				Rule:     "words/value",
				Category: "secret.word",
				Severity: scanner.SeverityHigh,
				Location: scanner.Location{Pointer: pointer, Start: start, End: end},
				Redact:   true,
			})
		}
	}
	if len(findings) == 0 {
		return scanner.Allow(), nil
	}
	return scanner.Redact(findings...), nil
}

// find returns the range from the first listed word in a text to the last.
func (w *words) find(text string) (start, end int, found bool) {
	start = len(text)
	for _, word := range *w.listed.Load() {
		if i := strings.Index(text, word); i >= 0 {
			start, end = min(start, i), max(end, strings.LastIndex(text, word)+len(word))
		}
	}
	return start, end, end > 0
}

func TestConformance(t *testing.T) {
	scannertest.Run(t, NewWords(),
		scannertest.Config(`{"words":["hunter2"]}`),
		scannertest.BadConfig(`{"words":[]}`, "/words"))
}

func TestFindsWords(t *testing.T) {
	c := scannertest.New(t, NewWords())
	if err := c.Configure(t.Context(), `{"words":["hunter2"]}`); err != nil {
		t.Fatal(err)
	}
	content := scanner.Content{
		Phase: scanner.PhaseResponse,
		Kind:  scanner.KindJSON,
		Data:  []byte(`{"content":[{"type":"text","text":"It is hunter2."}]}`),
	}
	v, err := c.Scan(t.Context(), content)
	if err != nil || v.Action != scanner.ActionRedact || v.Findings[0].Location.Start != 6 {
		t.Errorf("got %+v, %v", v, err)
	}
}

func ExampleContent_Strings() {
	c := scanner.Content{Kind: scanner.KindJSON, Data: []byte(`{"name":"add","arguments":{"a/b":["gr\u00fcn",1]}}`)}
	for pointer, text := range c.Strings() {
		fmt.Println(pointer, text)
	}
	// Output:
	// /name add
	// /arguments/a~1b/0 grün
}
