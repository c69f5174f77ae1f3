package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/verdict"
)

// The labels.
const (
	Malicious = "malicious"
	Benign    = "benign"
)

// coreTier is the tier of malicious items that have none.
const coreTier = "core"

// maxLine bounds one item, in bytes.
const maxLine = 64 << 20

// Item is one line of a corpus.
type Item struct {
	ID       string `json:"id"`
	Phase    Phase  `json:"phase"`
	Label    string `json:"label"`
	Category string `json:"category"`
	// Tier is how clear a malicious item is; core when it does not say.
	Tier   string `json:"tier"`
	Source string `json:"source"`
	Server string `json:"server"`
	Tool   string `json:"tool"`
	// Text is a result as a model would see it; JSON anything else.
	Text string          `json:"text"`
	JSON json.RawMessage `json:"json"`
}

// Phase is a phase as a corpus spells it: as the relay does, or as the parts of
// the protocol are called.
type Phase struct{ verdict.Phase }

var spelled = map[string]verdict.Phase{"tool_description": verdict.Definition, "tool_result": verdict.Response}

// UnmarshalText reads the phase's name.
func (p *Phase) UnmarshalText(text []byte) error {
	if known, ok := spelled[string(text)]; ok {
		p.Phase = known
		return nil
	}
	for known := verdict.Definition; known <= verdict.Notification; known++ {
		if known.String() == string(text) {
			p.Phase = known
			return nil
		}
	}
	return errPhase
}

var (
	errPhase  = errors.New("unknown phase: use tool_description, request, response, server_request or notification")
	errLabel  = errors.New("unknown label: use malicious or benign")
	errID     = errors.New("an item needs an id")
	errTwice  = errors.New("the id is another item's, too")
	errNone   = errors.New("there is no *.jsonl file with items")
	errBroken = errors.New("its json is not valid")
)

// ReadDir returns the items of all *.jsonl files in dir, in the order of the
// files' names, and why which lines were left out.
func ReadDir(dir string) (items []Item, skipped []error, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, nil, fmt.Errorf("looking for items: %w", err)
	}
	ids := map[string]bool{}
	for _, name := range files {
		of, bad, err := readFile(name, ids)
		if err != nil {
			return nil, nil, err
		}
		items, skipped = append(items, of...), append(skipped, bad...)
	}
	if len(items) == 0 {
		return nil, skipped, fmt.Errorf("%s: %w", dir, errNone)
	}
	return items, skipped, nil
}

func readFile(name string, ids map[string]bool) (items []Item, skipped []error, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("reading items: %w", err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if item, bad := parse(line, ids); bad != nil {
				skipped = append(skipped, fmt.Errorf("%s:%d: %w", filepath.Base(name), number, bad))
			} else {
				items = append(items, item)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return items, skipped, nil
		case err != nil:
			return nil, nil, fmt.Errorf("reading items: %w", err)
		}
	}
}

var errLine = errors.New("the line is longer than 64 MiB")

func parse(line []byte, ids map[string]bool) (Item, error) {
	if len(line) > maxLine {
		return Item{}, errLine
	}
	var it Item
	err := json.Unmarshal(line, &it)
	if err != nil {
		// The error may quote what it read.
		if errors.Is(err, errPhase) {
			return it, errPhase
		}
		return it, errBroken
	}
	switch {
	case it.ID == "":
		return it, errID
	case ids[it.ID]:
		return it, errTwice
	case !slices.Contains([]string{Malicious, Benign}, it.Label):
		return it, errLabel
	case it.Phase.Phase == 0:
		return it, errPhase
	}
	if string(it.JSON) == "null" {
		it.JSON = nil
	}
	if it.JSON, err = strict(it.JSON); err != nil {
		return it, errBroken
	}
	if it.Tier == "" && it.Label == Malicious {
		it.Tier = coreTier
	}
	ids[it.ID] = true
	return it, nil
}

// strict returns JSON that a relay would take: what encoding/json takes besides,
// such as halves of surrogate pairs, is written anew.
func strict(text json.RawMessage) (json.RawMessage, error) {
	if text == nil || jsonrpc.Validate(text, nil) == nil {
		return text, nil
	}
	var value any
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&value); err != nil {
		return nil, err //nolint:wrapcheck // only whether there is one matters
	}
	return json.Marshal(value) //nolint:wrapcheck // likewise
}

// Group is the category without what is behind its first dot.
func (it *Item) Group() string {
	group, _, _ := strings.Cut(it.Category, ".")
	return group
}

var (
	errJSON  = errors.New("the content is not valid JSON")
	errTools = errors.New("there is no tool in it")
)

// Parse returns the items of a file that is no corpus: one like the given one, or
// the tools of a tools/list result. Definitions and requests are JSON, other
// content is when asJSON is set.
func Parse(like Item, data []byte, asJSON bool) ([]Item, error) {
	if p := like.Phase.Phase; !asJSON && p != verdict.Definition && p != verdict.Request {
		like.Text = string(data)
		return []Item{like}, nil
	}
	raw, err := strict(bytes.TrimSpace(data))
	if err != nil || len(raw) == 0 {
		return nil, errJSON
	}
	tools, list := jsonrpc.Member(raw, registry.Tools.Member())
	if like.Phase.Phase != verdict.Definition || !list || tools[0] != '[' {
		like.JSON = raw
		return []Item{like}, nil
	}
	var items []Item
	for tool := range jsonrpc.Elements(tools) {
		one := like
		one.JSON = tool
		one.ID = one.target()
		// They stand around each other.
		one.Label = Benign
		items = append(items, one)
	}
	if len(items) == 0 {
		return nil, errTools
	}
	return items, nil
}
