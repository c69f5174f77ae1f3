// Command words is a scanner of somebody else.
package main

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"

	"github.com/mcp-relay/relay/scanner"
)

type words struct{ listed atomic.Pointer[[]string] }

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

func (w *words) Scan(_ context.Context, c scanner.Content) (scanner.Verdict, error) {
	for _, word := range *w.listed.Load() {
		if strings.Contains(string(c.Data), word) {
			return scanner.Block(scanner.Finding{Rule: "words/word", Category: "secret.word"}), nil
		}
	}
	return scanner.Allow(), nil
}

func main() { scanner.Serve(&words{}) }
