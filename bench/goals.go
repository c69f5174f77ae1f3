package main

import "github.com/mcp-relay/relay/bench/internal/measure"

// find returns a target's result, or an empty one, whose numbers are all zero
// and whose goals are therefore missing.
func find(r *measure.Result, name string) *measure.TargetResult {
	if t := r.Target(name); t != nil {
		return t
	}
	return &measure.TargetResult{}
}

// costGoals say what one message, one start and one idle relay may cost, in
// terms of the floor of the same run: two scans may take what two scans take on
// the floor and a little more.
func costGoals(r *measure.Result) []measure.Goal {
	floor, scan := find(r, "floor"), find(r, "floor + scan")
	hidden, noop, guard := find(r, "relay hidden"), find(r, "relay noop"), find(r, "relay guard")
	step := scan.P50(one) - floor.P50(one)
	throughput := measure.Ratio("two scans, 64 in flight: calls/s, of the floor with one scan", noop.Rate(many), scan.Rate(many), 0.4)
	throughput.AtLeast = true
	return []measure.Goal{
		measure.Ratio("no scan: p50, of the floor", hidden.P50(one), floor.P50(one), 1.5),
		measure.Ratio("no scan: CPU per call, of the floor", hidden.CPU(one), floor.CPU(one), 1.8),
		measure.Ratio("two scans: p50, of the floor with two scans", noop.P50(one), floor.P50(one)+2*step, 1.3),
		throughput,
		measure.Ratio("two scans, 1 MB: p50, of the floor with one scan", noop.P50(large), scan.P50(large), 2),
		measure.Most("start to the first tools/list, noop", measure.Median(noop.Startup), 120, "ms"),
		measure.Most("start to the first tools/list, guard", measure.Median(guard.Startup), 200, "ms"),
		measure.Most("idle memory, noop", float64(measure.Median(noop.IdleRSS))/(1<<20), 60, "MiB"),
		measure.Most("idle memory, guard", float64(measure.Median(guard.IdleRSS))/(1<<20), 85, "MiB"),
	}
}

// modern is what the names of targets that are spoken to in the modern era end
// with.
const modern = ", modern"

// httpGoals say the same of clients that come over HTTP. era is what the names
// of its targets end with.
func httpGoals(r *measure.Result, era string) []measure.Goal {
	floor, scan := find(r, "floor http"+era), find(r, "floor http + scan"+era)
	hidden, noop := find(r, "relay http hidden"+era), find(r, "relay http noop"+era)
	direct, tools := find(r, "direct, 1000 tools"+era), find(r, "relay, 1000 tools"+era)
	step := scan.P50(one) - floor.P50(one)
	return []measure.Goal{
		measure.Ratio("HTTP"+era+", no scan: p50, of the floor", hidden.P50(one), floor.P50(one), 1.4),
		measure.Ratio("HTTP"+era+", two scans: p50, of the floor with two scans", noop.P50(one), floor.P50(one)+2*step, 1.3),
		measure.Ratio("HTTP"+era+", two scans, 1 MB: p50, of the floor with one scan", noop.P50(large), scan.P50(large), 1.9),
		measure.Ratio("HTTP"+era+", tools/list of 1000 judged tools: p50, of direct", tools.P50(list), direct.P50(list), 2),
	}
}

// flat is how much two numbers that should be equal may differ on a busy
// machine.
const flat = 1.25

// growthGoals say that a call does not notice how much stands behind the relay.
func growthGoals(r *measure.Result) []measure.Goal {
	small, tools, servers := find(r, "relay, 20 tools"), find(r, "relay, 1000 tools"), find(r, "relay, 32 servers")
	perTool := func(t *measure.TargetResult) float64 { return t.CPU(list) / float64(max(t.Listed, 1)) }
	return []measure.Goal{
		measure.Ratio("1000 tools: p50 of a call, of that with 20", tools.P50(one), small.P50(one), flat),
		measure.Ratio("1000 tools: CPU of a call, of that with 20", tools.CPU(one), small.CPU(one), flat),
		measure.Ratio("32 servers: p50 of a call, of that with one", servers.P50(one), small.P50(one), flat),
		measure.Ratio("32 servers: CPU of a call, of that with one", servers.CPU(one), small.CPU(one), flat),
		// A list that no cache holds costs more per byte, with every relay.
		measure.Ratio("1000 tools: CPU of tools/list per tool, of that with 20", perTool(tools), perTool(small), 2),
	}
}
