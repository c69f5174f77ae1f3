package measure

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// Plan says what Compare does.
type Plan struct {
	Programs

	Targets   []Target
	Scenarios []Scenario
	Rounds    int // blocks per target and scenario
	Startups  int // starts per target that are timed
	Limits    Limits
	Servers   int
	Tools     int
	Protocol  string
	Timeout   time.Duration
	Progress  io.Writer
}

// Result is everything that Compare measured; it is written as JSON.
type Result struct {
	When     string          `json:"when"`
	Machine  string          `json:"machine"`
	CPUs     int             `json:"cpus"`
	Go       string          `json:"go"`
	Load     []string        `json:"loadavg"` // at the start and end
	Servers  int             `json:"servers"`
	Tools    int             `json:"tools_per_server"`
	Protocol string          `json:"protocol"`
	Rounds   int             `json:"rounds"`
	Targets  []*TargetResult `json:"targets"`
	order    []Scenario
}

// TargetResult holds one target's blocks.
type TargetResult struct {
	Name     string             `json:"name"`
	Front    string             `json:"front"`
	Down     string             `json:"down"`
	Baseline string             `json:"baseline"`
	Note     string             `json:"note,omitempty"`
	Failed   string             `json:"failed,omitempty"`
	Version  string             `json:"protocol,omitempty"`
	Listed   int                `json:"tools_listed"`
	Startup  []float64          `json:"startup_ms"`
	IdleRSS  []int64            `json:"idle_rss_bytes"`
	Procs    int                `json:"proxy_procs"`
	Left     int                `json:"left_behind,omitempty"` // processes that outlived it
	Blocks   map[string][]Block `json:"blocks"`
	instance *Instance
	target   Target
}

// Target returns the result of a target by name; nil when it was not measured.
func (r *Result) Target(name string) *TargetResult {
	for _, t := range r.Targets {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Compare starts every target, then measures them block by block in turn, so
// that a disturbance of the machine hits all of them alike.
func Compare(p *Plan) (*Result, error) {
	r := &Result{
		When: time.Now().UTC().Format(time.RFC3339), Machine: machine(), CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Load: []string{loadavg()}, Servers: p.Servers, Tools: p.Tools, Protocol: p.Protocol, Rounds: p.Rounds, order: p.Scenarios,
	}
	options := StartOptions{
		Programs: p.Programs, Servers: p.Servers, Tools: p.Tools, Protocol: p.Protocol, Timeout: p.Timeout, Lanes: Lanes(p.Scenarios),
	}
	stop, err := startHTTPServer(&options)
	if err != nil {
		return nil, err
	}
	defer stop()
	for _, t := range p.Targets {
		if t.Single && (p.Servers > 1 || t.Servers > 1) {
			continue
		}
		r.Targets = append(r.Targets, &TargetResult{
			Name: t.Name, Front: t.Front, Down: t.Down, Baseline: t.Baseline, Note: t.Note, Blocks: map[string][]Block{}, target: t,
		})
	}
	defer func() {
		for _, t := range r.Targets {
			t.stop()
		}
	}()
	starts := max(p.Startups, 1)
	for n := range starts {
		for _, t := range r.Targets {
			t.start(options, p.Progress, n == starts-1 && len(p.Scenarios) > 0)
		}
	}
	for _, sc := range p.Scenarios {
		for round := range p.Rounds {
			for i := range r.Targets {
				r.Targets[(i+round)%len(r.Targets)].block(sc, p.Limits, options)
			}
		}
		fmt.Fprintf(p.Progress, "%s %s done\n", time.Now().Format(time.TimeOnly), sc)
	}
	r.Load = append(r.Load, loadavg())
	return r, nil
}

// start times one start of the target and keeps it running for the load if it is
// the last.
func (t *TargetResult) start(options StartOptions, progress io.Writer, last bool) {
	if t.Failed != "" {
		return
	}
	in, err := t.target.Start(options)
	if err != nil {
		t.Failed = err.Error()
		fmt.Fprintf(progress, "%s: FAILED: %v\n", t.Name, err)
		return
	}
	t.Startup = append(t.Startup, float64(in.Startup)/1e6)
	t.IdleRSS = append(t.IdleRSS, in.IdleRSS)
	t.Version, t.Listed, t.Procs = in.sessions[0].c.Version, 0, len(in.proxies())
	for _, s := range in.sessions {
		t.Listed += s.count
	}
	t.instance = in
	if !last {
		t.stop()
	}
}

func (t *TargetResult) stop() {
	if t.instance != nil {
		t.Left += t.instance.Stop()
		t.instance = nil
	}
}

// large is the size of a text from which fewer calls give the same confidence.
const large = 256 << 10

func (t *TargetResult) block(sc Scenario, limits Limits, options StartOptions) {
	if t.instance == nil || t.target.MaxC > 0 && sc.C > t.target.MaxC ||
		len(t.target.Ops) > 0 && !slices.Contains(t.target.Ops, sc.Op) {
		return
	}
	if sc.Op != "list" && sc.Size >= large {
		limits.Calls = max(limits.Calls/10, 2*sc.C)
		limits.Warmup = min(limits.Warmup, 2)
	}
	b := t.instance.Run(sc, limits)
	t.Blocks[sc.String()] = append(t.Blocks[sc.String()], b)
	if b.Errors.Transport == 0 {
		return
	}
	t.stop() // the connection is not to be trusted any more
	in, err := t.target.Start(options)
	if err != nil {
		t.Failed = err.Error()
		return
	}
	t.instance = in
}
