package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/bench/internal/measure"
)

// compare measures the targets of a file and prints a table.
func compare(args []string, std streams) error {
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	var c common
	c.register(flags, 2000, time.Second)
	plan := measure.Plan{Progress: std.err}
	file := flags.String("targets", "targets.json", "targets file")
	only := flags.String("only", "", "comma-separated target names; default all")
	list := flags.String("scenarios", "echo:200@1,echo:200@8,echo:200@64,blob:1048576@1,list@1", scenarioHelp+"; empty: startup only")
	flags.IntVar(&plan.Rounds, "rounds", 7, "blocks per target and scenario")
	flags.IntVar(&plan.Startups, "startups", 3, "timed starts per target")
	flags.IntVar(&plan.Servers, "servers", 1, "downstream servers behind each target")
	flags.StringVar(&plan.Relay, "relay", "", "path that targets see as .Relay")
	flags.StringVar(&plan.Floor, "floor", "", "path that targets see as .Floor")
	out := flags.String("out", "", "write every block to this JSON file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	plan.Limits, plan.Protocol, plan.Timeout, plan.Tools = c.limits, c.protocol, c.timeout, c.tools
	targets, err := measure.LoadTargets(*file)
	if err != nil {
		return err
	}
	if plan.Targets, err = choose(targets, *only); err != nil {
		return err
	}
	if plan.Scenarios, err = scenarios(*list); err != nil {
		return err
	}
	result, err := measure.Compare(&plan)
	if err != nil {
		return err
	}
	result.Table(std.out)
	return write(*out, result)
}

// choose returns the named targets, or all when there is no name.
func choose(targets []measure.Target, names string) ([]measure.Target, error) {
	if names == "" {
		return targets, nil
	}
	var out []measure.Target
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(targets, func(t measure.Target) bool { return t.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no target %q", name)
		}
		out = append(out, targets[i])
	}
	return out, nil
}

// write puts a result into a file, if there is a name for one.
func write(path string, result any) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(result, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
