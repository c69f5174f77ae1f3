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
		r := &measure.Result{}
		for _, target := range all {
			block := []measure.Block{{Calls: 1, P50: 100, Rate: 100, CPUProxy: 100}}
			r.Targets = append(r.Targets, &measure.TargetResult{
				Name: target.Name, Startup: []float64{100}, IdleRSS: []int64{50 << 20}, Listed: 23,
				Blocks: map[string][]measure.Block{one: block, many: block, large: block, list: block},
			})
		}
		return r
	}
	for _, goal := range append(costGoals(load("standard.json")), growthGoals(load("growth.json"))...) {
		if goal.Missing || !goal.Met() {
			t.Errorf("%+v", goal)
		}
	}
	for _, goal := range append(costGoals(&measure.Result{}), growthGoals(&measure.Result{})...) {
		if !goal.Missing || goal.Met() {
			t.Errorf("without a measurement: %+v", goal)
		}
	}
}
