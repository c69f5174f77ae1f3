package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-relay/relay/bench/internal/measure"
	"github.com/mcp-relay/relay/bench/internal/server"
)

// common are the flags of every command that measures.
type common struct {
	limits   measure.Limits
	protocol string
	timeout  time.Duration
	tools    int
}

func (c *common) register(flags *flag.FlagSet, calls int, block time.Duration) {
	c.limits.Grace = 15 * time.Second
	flags.IntVar(&c.limits.Calls, "calls", calls, "most calls per block (a tenth for texts of 256 KiB or more)")
	flags.DurationVar(&c.limits.Time, "time", block, "longest time per block")
	flags.IntVar(&c.limits.Warmup, "warmup", 20, "untimed calls per worker before each block")
	flags.StringVar(&c.protocol, "protocol", "2025-06-18", "revision to ask for; 2026-07-28 is stateless; auto tries that first")
	flags.DurationVar(&c.timeout, "timeout", 30*time.Second, "longest time to start a target")
	flags.IntVar(&c.tools, "tools", 20, "generated tools per downstream server")
}

const scenarioHelp = "comma-separated op[:size][@calls in flight]; op is echo, blob, sleep or list"

func scenarios(list string) (out []measure.Scenario, err error) {
	for text := range strings.SplitSeq(list, ",") {
		if text == "" {
			continue
		}
		s, err := measure.ParseScenario(text)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// load measures one target and prints JSON.
func load(args []string, std streams) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	var c common
	c.register(flags, 2000, time.Second)
	url := flags.String("url", "", "MCP endpoint; without it the command after -- is spoken to over stdio")
	header := flags.String("header", "", `extra header, "Name: value"`)
	list := flags.String("scenarios", "echo:200@1,echo:200@8", scenarioHelp)
	minTools := flags.Int("min-tools", 1, "not ready before this many tools are listed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := scenarios(*list)
	if err != nil {
		return err
	}
	target := measure.Target{Name: "target", Front: "stdio", Command: flags.Args(), URL: *url}
	if *url != "" {
		target.Front = "http"
	} else if len(target.Command) == 0 {
		return errors.New("load needs -url or -- COMMAND")
	}
	if *header != "" {
		target.Headers = []string{*header}
	}
	in, err := target.Start(measure.StartOptions{
		Servers: 1, Tools: *minTools - server.BaseTools, Lanes: measure.Lanes(chosen), Protocol: c.protocol, Timeout: c.timeout,
	})
	if err != nil {
		return err
	}
	defer in.Stop()
	type result struct {
		measure.Block

		Scenario string `json:"scenario"`
	}
	out := struct {
		StartupMS float64  `json:"startup_ms"`
		IdleRSS   int64    `json:"idle_rss_bytes"`
		Results   []result `json:"results"`
	}{StartupMS: float64(in.Startup) / 1e6, IdleRSS: in.IdleRSS}
	failed := 0
	for _, s := range chosen {
		block := in.Run(s, c.limits)
		failed += block.Errors.Total()
		out.Results = append(out.Results, result{block, s.String()})
	}
	encoder := json.NewEncoder(std.out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(out); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d calls failed", failed)
	}
	return nil
}
