package guard

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// corpusDir names the environment variable with the directory of a labelled
// corpus: *.jsonl with the members id, phase (tool_description, request,
// response), label (malicious, benign), category, tier, and text or json.
const corpusDir = "GUARD_CORPUS"

type corpusItem struct {
	ID, Phase, Label, Category, Tier, Text, Want string
	JSON                                         json.RawMessage
}

// content wraps an item as the relay would hand it to a scanner.
func (c *corpusItem) content() scanner.Content {
	out := scanner.Content{Kind: scanner.KindJSON}
	switch c.Phase {
	case "tool_description":
		out.Phase = scanner.PhaseDefinition
		var pinned struct{ Current json.RawMessage }
		if json.Unmarshal(c.JSON, &pinned) == nil && pinned.Current != nil {
			c.JSON = pinned.Current
		}
		out.Data = catalogue(c.JSON)
	case "request":
		out.Phase, out.Data = scanner.PhaseRequest, c.JSON
	default:
		out.Phase = scanner.PhaseResponse
		text, err := json.Marshal(c.Text)
		if err != nil {
			panic(err) // a string always marshals
		}
		out.Data = fmt.Appendf(nil, `{"content":[{"type":"text","text":%s}]}`, text)
	}
	return out
}

// catalogue wraps one tool; what is a catalogue already stays one.
func catalogue(data json.RawMessage) []byte {
	var whole map[string]json.RawMessage
	if json.Unmarshal(data, &whole) == nil {
		for _, list := range []string{"tools", "prompts", "resources", "resourceTemplates", "instructions"} {
			if whole[list] != nil && whole["name"] == nil {
				return data
			}
		}
	}
	return fmt.Appendf(nil, `{"tools":[%s]}`, data)
}

func readCorpus(tb testing.TB, dir string) []corpusItem {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no *.jsonl in %s: %v", dir, err)
	}
	var items []corpusItem
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var item corpusItem
			if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
				tb.Fatalf("%s: %v", name, err)
			}
			items = append(items, item)
		}
	}
	return items
}

// tally counts the items of one phase and label.
type tally struct{ items, found, blocked int }

func (t *tally) add(a scanner.Action) {
	t.items++
	if a > scanner.ActionAllow {
		t.found++
	}
	if a == scanner.ActionBlock {
		t.blocked++
	}
}

func (t *tally) String() string {
	of := func(n int) float64 { return 100 * float64(n) / float64(max(t.items, 1)) }
	return fmt.Sprintf("%4d items, found %4d (%5.1f %%), blocked %4d (%5.1f %%)", t.items, t.found, of(t.found), t.blocked, of(t.blocked))
}

// TestCorpus measures detection and false positives on a corpus outside of the
// repository. With -v it also names what was missed and found in error.
func TestCorpus(t *testing.T) {
	dir := os.Getenv(corpusDir)
	if dir == "" {
		t.Skip("set " + corpusDir + " to the directory of a labelled corpus")
	}
	tallies := map[string]*tally{}
	count := func(key string, a scanner.Action) {
		if tallies[key] == nil {
			tallies[key] = &tally{}
		}
		tallies[key].add(a)
	}
	g := New()
	var predictions []byte
	for _, item := range readCorpus(t, dir) {
		v, err := g.Scan(t.Context(), item.content())
		if err != nil {
			t.Fatal(err)
		}
		tier := item.Tier
		if item.Label == "malicious" && tier == "" {
			tier = "core"
		}
		count(strings.TrimSpace(item.Label+" "+item.Phase+" "+tier), v.Action)
		predictions = fmt.Appendf(predictions, "{\"id\":%q,\"flagged\":%t}\n", item.ID, v.Action > scanner.ActionAllow)
		if (v.Action > scanner.ActionAllow) != (item.Label == "malicious") && testing.Verbose() {
			t.Logf("%s %s %s: %s %s", item.Label, item.ID, item.Category, v.Action, rulesOf(v))
		}
	}
	keys := make([]string, 0, len(tallies))
	for k := range tallies {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Printf("%-42s %s\n", k, tallies[k])
	}
	if name := os.Getenv(corpusDir + "_PREDICTIONS"); name != "" {
		if err := os.WriteFile(name, predictions, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func rulesOf(v scanner.Verdict) string {
	var rules []string
	for _, f := range v.Findings {
		rules = append(rules, f.Rule+" ("+f.Category+") "+f.Location.Pointer)
	}
	return strings.Join(rules, ", ")
}
