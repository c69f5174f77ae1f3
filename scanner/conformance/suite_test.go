package conformance

import (
	"flag"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// faults are ways of breaking the contract, each with the one check that must
// find it. Those of the wire are tried within the process; the others, of the
// process itself, with a program.
var wireFaults = map[string]string{
	"has a bad name":                    "describe",
	"is ready before its configuration": "not-configured",
	"changes with its configuration":    "configure",
	"refuses every configuration":       "configure",
	"takes any configuration":           "bad-configuration",
	"reports one problem at a time":     "bad-configuration",
	"fails instead of listing problems": "bad-configuration",
	"loses its configuration":           "kept-configuration",
	"fails in one phase":                "phases-and-kinds",
	"fails on nothing":                  "empty",
	"fails on a call":                   "messages",
	"fails on deep JSON":                "odd-json",
	"fails on invalid text":             "invalid-utf8",
	"fails on large content":            "large",
	"fails on what is given":            "given-contents",
	"judges what it does not know":      "unknown-values",
	"refuses fields it does not know":   "unknown-fields",
	"does not repeat the scan id":       "scan-id",
	"takes any scan id":                 "scan-id",
	"takes content of any size":         "oversize",
	"takes messages of any size":        "oversize",
	"says nothing about a failure":      "unforeseen-failure",
	"misspells categories":              "verdicts",
	"locates outside":                   "locations",
	"redacts for ever":                  "redaction",
	"changes its mind":                  "same-verdict",
	"does not read blobs":               "coverage",
	"does not read names":               "coverage",
	"stops reading":                     "coverage",
	"quotes content":                    "secrecy",
	"quotes the configuration":          "secrecy",
	"mixes up a batch":                  "batch",
	"claims no batches":                 "batch",
	"fails a batch for one item":        "batch",
	"breaks under load":                 "parallel",
	"is not ready while configured":     "configure-during-scans",
	"cannot drain":                      "drain",
	"judges after draining":             "drain",
	"is ready after draining":           "drain",
}

var processFaults = map[string]string{
	"serves whoever starts it":   "by-hand",
	"says nothing by hand":       "by-hand",
	"never handshakes":           "handshake",
	"dies at start":              "handshake",
	"prints before":              "handshake",
	"other version":              "handshake",
	"listens elsewhere":          "socket",
	"listens on a port too":      "socket",
	"asks for no certificate":    "mutual-tls",
	"is not healthy":             "health",
	"dies of a panic":            "unforeseen-failure",
	"logs content":               "secrecy",
	"logs every scan":            "log-volume",
	"ignores cancellation":       "cancelled",
	"keeps content":              "memory",
	"prints after the handshake": "stray-output",
	"ends when interrupted":      "interrupt",
	"does not shut down":         "shutdown",
	"outlives the relay":         "end-of-input",
	"leaves a child":             "left-processes",
}

// costlyBut lists the checks that take long, but not the one that is to find
// something: a suite is run for each fault.
func costlyBut(name string) []string {
	return slices.DeleteFunc([]string{
		"oversize", "coverage", "cancelled", "memory", "interrupt", "same-verdict", "log-volume", "secrecy", "odd-json",
	}, func(costly string) bool { return costly == name })
}

func TestNoFaultIsFound(t *testing.T) {
	t.Parallel()
	o := modelOptions()
	o.sizes = sizes{}
	wantFaults(t, Scanner(t.Context(), &model{}, o))
}

func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	for fault, name := range wireFaults {
		o := modelOptions()
		if fault == "refuses every configuration" || fault == "takes any configuration" {
			o.BadPointers = nil
		}
		o.sizes.omit = costlyBut(name)
		s := &suite{opts: o.withDefaults(), serve: func() (*Client, func(), error) { return serveSpoiled(fault) }}
		t.Run(fault, func(t *testing.T) { wantFaults(t, s.run(t.Context()), name) })
	}
}

// wantFaults wants exactly these checks to fail.
func wantFaults(t *testing.T, results iter.Seq[Result], want ...string) {
	t.Helper()
	n := 0
	for r := range results {
		n++
		if (r.Status == Fail) != slices.Contains(want, r.Check) {
			t.Errorf("%s: %s: %s", r.Check, r.Status, strings.Join(r.Happened, "\n"))
		}
		if r.Status != Pass && len(r.Happened) == 0 {
			t.Errorf("%s: %s without a reason", r.Check, r.Status)
		}
	}
	if n < 20 {
		t.Errorf("only %d checks ran", n)
	}
}

// Each check has a fault that it finds: one that finds nothing would never be
// missed.
func TestEveryCheckFindsSomething(t *testing.T) {
	t.Parallel()
	found := map[string]bool{"content-unchanged": true, "returns-when-cancelled": true} // package scannertest has scanners for these
	for _, name := range wireFaults {
		found[name] = true
	}
	for _, name := range processFaults {
		found[name] = true
	}
	for _, c := range Checks() {
		if !found[c.Name] {
			t.Errorf("the check %s has no fault", c.Name)
		}
	}
}

// The page that results point to has the sections.
func TestSectionsExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(Page)))
	if err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			title = strings.ToLower(strings.NewReplacer(" ", "-", ".", "", "\n", "").Replace(title))
			anchors[Page+"#"+title] = true
		}
	}
	for _, c := range Checks() {
		if !anchors[c.Section] {
			t.Errorf("the check %s points to %s, which does not exist", c.Name, c.Section)
		}
	}
}

var update = flag.Bool("update", false, "write the checklist of the page")

// The checklist of the page is the list of checks.
func TestChecklist(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range checks() {
		if c.value {
			continue // of Go's test alone
		}
		number := strings.TrimLeft(strings.SplitN(c.section, "-", 2)[0], "#")
		b.WriteString("| `" + c.name + "` | " + strings.ReplaceAll(c.expected, "|", "\\|") + " | [" + number + "](" + c.section + ") |\n")
	}
	file := filepath.Join("..", "..", filepath.FromSlash(Page))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const head = "| check | expected | section |\n|---|---|---|\n"
	before, list, ok := strings.Cut(string(text), head)
	if !ok {
		t.Fatalf("%s has no checklist", Page)
	}
	if list == b.String() {
		return
	}
	if !*update {
		t.Fatalf("the checklist in %s is not that of the checks; run go test ./scanner/conformance -run TestChecklist -update", Page)
	}
	if err := os.WriteFile(file, []byte(before+head+b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
