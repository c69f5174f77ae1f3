package main

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/mcp-relay/relay/bench/internal/measure"
)

// targets are what the report measures, with the relay's configurations.
//
//go:embed targets
var targets embed.FS

// The scenarios of the report.
const (
	one   = "echo:200@1"
	many  = "echo:200@64"
	large = "blob:1048576@1"
	list  = "list@1"
)

// report measures the relay beside its floor in one run, then how its cost
// grows with tools and servers, and holds both to their goals.
func report(args []string, std streams) error {
	flags := flag.NewFlagSet("report", flag.ExitOnError)
	var c common
	c.register(flags, 2000, time.Second)
	plan := measure.Plan{Progress: std.err, Servers: 1}
	flags.StringVar(&plan.Relay, "relay", "bin/relay", "the relay to measure")
	flags.StringVar(&plan.Floor, "floor", "bin/floor", "the floor relay (./floor)")
	flags.IntVar(&plan.Rounds, "rounds", 7, "blocks per target and scenario")
	flags.IntVar(&plan.Startups, "startups", 5, "timed starts per target")
	only := flags.String("only", "", "comma-separated targets of the first part; skips the second")
	out := flags.String("out", "", "write every block to this JSON file")
	strict := flags.Bool("strict", false, "fail when a goal is missed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	for _, path := range []*string{&plan.Relay, &plan.Floor} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	plan.Limits, plan.Protocol, plan.Timeout, plan.Tools = c.limits, c.protocol, c.timeout, c.tools

	fmt.Fprint(std.out, "## Cost\n\n")
	cost, err := part(plan, "standard.json", *only, one+","+many+","+large+","+list, std)
	if err != nil {
		return err
	}
	results := map[string]*measure.Result{"cost": cost}
	if *only != "" {
		return write(*out, results)
	}
	fmt.Fprint(std.out, "\n## Growth\n\n")
	growth, err := part(plan, "growth.json", "", one+","+list, std)
	if err != nil {
		return err
	}
	results["growth"] = growth
	fmt.Fprint(std.out, "\n## Goals\n\n")
	missed := measure.WriteGoals(std.out, append(costGoals(cost), growthGoals(growth)...))
	if err := write(*out, results); err != nil {
		return err
	}
	if missed > 0 && *strict {
		return errors.New("goals were missed")
	}
	return nil
}

// part measures one of the embedded lists of targets and prints its table.
func part(plan measure.Plan, file, only, chosen string, std streams) (*measure.Result, error) {
	text, err := fs.ReadFile(targets, "targets/"+file)
	if err != nil {
		return nil, err
	}
	dir, err := fs.Sub(targets, "targets")
	if err != nil {
		return nil, err
	}
	all, err := measure.ParseTargets(text, dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if plan.Targets, err = choose(all, only); err != nil {
		return nil, err
	}
	if plan.Scenarios, err = scenarios(chosen); err != nil {
		return nil, err
	}
	result, err := measure.Compare(&plan)
	if err != nil {
		return nil, err
	}
	result.Table(std.out)
	return result, nil
}
