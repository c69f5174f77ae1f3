package demo

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Default is the file that the demo uses unless another is named.
//
//go:embed demo.json
var Default []byte

// File is what the demo server offers and what the scripted client does.
type File struct {
	About  string `json:"about,omitempty"`
	Tools  []Tool `json:"tools"`
	Script []Step `json:"script"`
}

// Tool is a tool of the demo server and its answer to every call.
type Tool struct {
	Definition json.RawMessage `json:"definition"`
	Result     json.RawMessage `json:"result"`
}

// Step is one call of the scripted client.
type Step struct {
	Title     string          `json:"title"`
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments,omitempty"`
	// Expect is what should become of the call: passed, redacted, blocked or
	// refused. Empty: anything.
	Expect Outcome `json:"expect,omitempty"`
}

// Outcome is what became of a call.
type Outcome string

// The outcomes.
const (
	Passed   Outcome = "passed"
	Redacted Outcome = "redacted"
	Blocked  Outcome = "blocked"
	Refused  Outcome = "refused"
	Failed   Outcome = "failed"
)

// Name returns the tool's name.
func (t *Tool) Name() string {
	var named struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(t.Definition, &named) != nil {
		return ""
	}
	return named.Name
}

// Load reads a file; an empty path means the default.
func Load(path string) (*File, error) {
	text := Default
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading the demo file: %w", err)
		}
	}
	var f File
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("the demo file is not as relay demo --print shows it: %w", err)
	}
	if len(f.Tools) == 0 {
		return nil, errors.New("the demo file has no tools; relay demo --print shows one that has")
	}
	for i := range f.Tools {
		if f.Tools[i].Name() == "" {
			return nil, fmt.Errorf("tool %d of the demo file has no name in its definition", i+1)
		}
	}
	return &f, nil
}
