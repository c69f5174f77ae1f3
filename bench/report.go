package main

import (
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
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

// report measures the relay beside its floor over pipes and over HTTP, then how
// its cost grows with tools and servers, and holds all of it to its goals.
func report(args []string, std streams) error {
	flags := flag.NewFlagSet("report", flag.ExitOnError)
	var c common
	c.register(flags, 2000, time.Second)
	plan := measure.Plan{Progress: std.err, Servers: 1}
	flags.StringVar(&plan.Relay, "relay", "bin/relay", "the relay to measure")
	flags.StringVar(&plan.Floor, "floor", "bin/floor", "the floor relay (./floor)")
	flags.IntVar(&plan.Rounds, "rounds", 7, "blocks per target and scenario")
	flags.IntVar(&plan.Startups, "startups", 5, "timed starts per target")
	docs := flags.String("docs", "", "write the tables into this page")
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

	if *docs != "" {
		if _, err := os.Stat(*docs); err != nil { // better now than after ten minutes
			return err
		}
	}
	var p parts
	for _, next := range []struct {
		title, file, scenarios string
		result                 **measure.Result
	}{
		{"Cost", "standard.json", one + "," + many + "," + large + "," + list, &p.cost},
		{"HTTP", "http.json", one + "," + many + "," + large + "," + list, &p.web},
		{"Growth", "growth.json", one + "," + list, &p.growth},
	} {
		var err error
		fmt.Fprintf(std.out, "\n## %s\n\n", next.title)
		if *next.result, err = part(plan, next.file, next.scenarios, std); err != nil {
			return err
		}
	}
	fmt.Fprint(std.out, "\n## Goals\n\n")
	missed := measure.WriteGoals(std.out, p.goals())
	if err := write(*out, map[string]*measure.Result{"cost": p.cost, "http": p.web, "growth": p.growth}); err != nil {
		return err
	}
	if *docs != "" {
		if err := writeDocs(*docs, &p); err != nil {
			return err
		}
	}
	if missed > 0 && *strict {
		return errors.New("goals were missed")
	}
	return nil
}

// part measures one of the embedded lists of targets and prints its table.
func part(plan measure.Plan, file, chosen string, std streams) (*measure.Result, error) {
	text, err := fs.ReadFile(targets, "targets/"+file)
	if err != nil {
		return nil, err
	}
	dir, err := fs.Sub(targets, "targets")
	if err != nil {
		return nil, err
	}
	if plan.Targets, err = measure.ParseTargets(text, dir); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
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
