package protocol

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// revision is what methods.json says of one revision: methods by who sends them.
type revision map[string][]string

func loadRevisions(t *testing.T) map[string]revision {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "methods.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]revision
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// extensions are the methods that the relay treats by name and that no revision
// lists, with what they come from.
var extensions = map[string]string{
	TasksUpdate: "the extension for tasks of the modern era",
	TaskChanged: "the extension for tasks of the modern era",
}

// Every revision that the relay speaks is in the list, and no other: whoever adds
// one has to say which methods it has.
func TestRevisionsAreListed(t *testing.T) {
	listed := slices.Sorted(maps.Keys(loadRevisions(t)))
	spoken := Supported()
	slices.Sort(spoken)
	if !slices.Equal(listed, spoken) {
		t.Errorf("the list has %s, the relay speaks %s", listed, spoken)
	}
}

// The relay's table of methods is that of the specification: one that is missing
// could be spelled in ways that the relay does not take for a disguise, and one
// too many would be refused without a reason.
func TestTableIsThatOfTheSpecification(t *testing.T) {
	known := map[string]bool{}
	for version, r := range loadRevisions(t) {
		for _, list := range r {
			for _, method := range list {
				known[method] = true
				if methods()[fold(method)] != method {
					t.Errorf("%s of %s is missing in the table", method, version)
				}
				if !WellFormed(method) {
					t.Errorf("%s of %s would be refused", method, version)
				}
			}
		}
	}
	for _, method := range methods() {
		if !known[method] && extensions[method] == "" {
			t.Errorf("no revision has %s", method)
		}
	}
	for method := range extensions {
		if known[method] {
			t.Errorf("%s has become part of a revision: take it out of the exceptions", method)
		}
	}
	if len(known) < 30 {
		t.Errorf("only %d methods are listed", len(known))
	}
}

// Where the whole schema is at hand, the list is what is in it.
func TestListIsThatOfTheSchemas(t *testing.T) {
	revisions := loadRevisions(t)
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		text, err := os.ReadFile(filepath.Join("..", "conformance", "testdata", "schema", version, "schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		var schema struct {
			Defs map[string]struct {
				Properties map[string]struct {
					Const any `json:"const"`
				} `json:"properties"`
			} `json:"$defs"`
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		want, got := map[string]bool{}, map[string]bool{}
		for _, def := range schema.Defs {
			if method, ok := def.Properties["method"].Const.(string); ok {
				want[method] = true
			}
		}
		for _, list := range revisions[version] {
			for _, method := range list {
				got[method] = true
			}
		}
		if !maps.Equal(want, got) {
			t.Errorf("%s has %s, the list says %s", version, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
		}
	}
}
