package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/bench/internal/measure"
)

// The test program is also the server and the null relay that targets start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "server" || os.Args[1] == "pass") {
		os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
	}
	os.Exit(m.Run())
}

func silent(out io.Writer) streams { return streams{strings.NewReader(""), out, io.Discard} }

// A whole comparison over real processes: everything is listed, nothing fails,
// nothing stays behind.
func TestCompare(t *testing.T) {
	dir := t.TempDir()
	file, result := filepath.Join(dir, "targets.json"), filepath.Join(dir, "result.json")
	targets := `{"targets": [
		{"name": "direct-stdio", "front": "stdio", "command": ["{{.Bench}}", "server", "-tools", "{{.Tools}}"]},
		{"name": "direct-http", "front": "http", "url": "{{(index .Servers 0).URL}}"},
		{"name": "null relay", "front": "stdio", "command": ["{{.Bench}}", "pass", "--", "{{.Bench}}", "server", "-tools", "{{.Tools}}"]},
		{"name": "more tools", "front": "stdio", "tools": 9, "command": ["{{.Bench}}", "server", "-tools", "{{.Tools}}"]}
	]}`
	if err := os.WriteFile(file, []byte(targets), 0o600); err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	args := []string{
		"-targets", file, "-out", result, "-tools", "5", "-rounds", "1", "-startups", "1",
		"-calls", "20", "-warmup", "1", "-scenarios", "echo:200@4,blob:300000@1,list@1",
	}
	if err := compare(args, silent(&table)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	var r measure.Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	listed := map[string]int{"direct-stdio": 8, "direct-http": 8, "null relay": 8, "more tools": 12}
	for name, want := range listed {
		got := r.Target(name)
		if got == nil || got.Failed != "" || got.Listed != want || got.Left != 0 || len(got.Blocks) != 3 {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		for scenario, blocks := range got.Blocks {
			if len(blocks) != 1 || blocks[0].Errors.Total() != 0 || blocks[0].Calls == 0 {
				t.Errorf("%s %s: %+v", name, scenario, blocks)
			}
		}
		if !strings.Contains(table.String(), "| "+name+" |") {
			t.Errorf("%s is not in the table", name)
		}
	}
}

func TestLoad(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := load([]string{"-calls", "10", "-scenarios", "echo:50@2", "--", self, "server", "-tools", "1"}, silent(&out)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"scenario": "echo:50@2"`) {
		t.Errorf("%s", &out)
	}
	if err := load(nil, silent(&out)); err == nil {
		t.Error("a load without a target was accepted")
	}
}

func TestRun(t *testing.T) {
	if code := run([]string{"nothing"}, silent(io.Discard)); code != 2 {
		t.Errorf("unknown command: %d", code)
	}
	if code := run([]string{"pass"}, silent(io.Discard)); code != 1 {
		t.Errorf("bad use: %d", code)
	}
}

// The embedded targets parse, and the goals name targets that exist.
func TestEmbeddedTargets(t *testing.T) {
	load := func(file string) *measure.Result {
		text, err := targets.ReadFile("targets/" + file)
		if err != nil {
			t.Fatal(err)
		}
		all, err := measure.ParseTargets(text, os.DirFS("targets"))
		if err != nil {
			t.Fatal(err)
		}
		r := &measure.Result{Load: []string{"0", "0"}}
		for _, target := range all {
			block := []measure.Block{{Calls: 1, P50: 100, Rate: 100, CPUProxy: 100}}
			r.Targets = append(r.Targets, &measure.TargetResult{
				Name: target.Name, Startup: []float64{100}, IdleRSS: []int64{50 << 20}, Listed: 23,
				Blocks: map[string][]measure.Block{one: block, many: block, large: block, list: block},
			})
		}
		return r
	}
	p := &parts{cost: load("standard.json"), web: load("http.json"), growth: load("growth.json")}
	for _, goal := range p.goals() {
		if goal.Missing || !goal.Met() {
			t.Errorf("%+v", goal)
		}
	}
	empty := &parts{cost: &measure.Result{}, web: &measure.Result{}, growth: &measure.Result{}}
	for _, goal := range empty.goals() {
		if !goal.Missing || goal.Met() {
			t.Errorf("without a measurement: %+v", goal)
		}
	}
	// The page has a place for every table.
	page, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(copied, page, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeDocs(copied, p); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| relay noop | 100 (100–100) | 50.0 | 0 |", "| relay http noop, modern | 100 (100–100) | 0 | 100 | 100 | 0 |",
		"| no scan: p50, of the floor | 1.00× | ≤ 1.5× | yes |",
	} {
		if !strings.Contains(string(written), want) {
			t.Errorf("no %q on the page", want)
		}
	}
}

func TestReplace(t *testing.T) {
	page := "a\n<!-- begin x -->\nold\n<!-- end x -->\nz\n"
	got, err := replace(page, "x", "new\n")
	if want := "a\n<!-- begin x -->\n\nnew\n\n<!-- end x -->\nz\n"; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, page := range []string{"", "<!-- begin x -->\n", "<!-- end x -->"} {
		if _, err := replace(page, "x", "new"); err == nil {
			t.Errorf("%q has no place for a table", page)
		}
	}
}
