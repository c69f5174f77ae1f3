package measure

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

const mib = 1 << 20

// Table writes the results as Markdown.
func (r *Result) Table(w io.Writer) {
	fmt.Fprintf(w, "%s, %d CPUs, %s, %s; protocol %s; %d downstream server(s) with %d generated tools each; %d rounds; load average %s\n",
		r.When, r.CPUs, r.Machine, r.Go, r.Protocol, r.Servers, r.Tools, r.Rounds, strings.Join(r.Load, " -> "))
	r.startTable(w)
	for _, sc := range r.order {
		fmt.Fprintf(w, "\n**%s**\n\n"+
			"| target | p50 µs (min-max over rounds) | p99 µs | +µs/call | p50 ×direct | calls/s | ×direct |"+
			" proxy CPU µs/call | server CPU | client CPU | peak RSS MiB | calls | errors |\n"+
			"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n", sc)
		for _, t := range r.Targets {
			r.row(w, t, sc.String())
		}
	}
}

func (r *Result) startTable(w io.Writer) {
	fmt.Fprint(w, "\n| target | front/down | start ms (min-max) | idle RSS MiB | procs | tools | protocol |\n"+
		"|---|---|---:|---:|---:|---:|---|\n")
	for _, t := range r.Targets {
		if len(t.Startup) == 0 {
			line, _, _ := strings.Cut(t.Failed, "\n")
			fmt.Fprintf(w, "| %s | %s/%s | failed: %s |\n", t.Name, t.Front, t.Down, line)
			continue
		}
		fmt.Fprintf(w, "| %s | %s/%s | %.0f (%.0f-%.0f) | %.1f | %d | %d | %s |\n", t.Name, t.Front, t.Down,
			Median(t.Startup), slices.Min(t.Startup), slices.Max(t.Startup), float64(Median(t.IdleRSS))/mib, t.Procs, t.Listed, t.Version)
	}
	for _, t := range r.Targets {
		if t.Left > 0 {
			fmt.Fprintf(w, "\n%s left %d processes behind.\n", t.Name, t.Left)
		}
	}
}

// Starts writes start and idle memory of every target as Markdown.
func (r *Result) Starts(w io.Writer) {
	fmt.Fprint(w, "| target | start ms (min–max) | idle memory MiB | processes |\n|---|---:|---:|---:|\n")
	for _, t := range r.Targets {
		if len(t.Startup) == 0 {
			fmt.Fprintf(w, "| %s | failed | | |\n", t.Name)
			continue
		}
		fmt.Fprintf(w, "| %s | %.0f (%.0f–%.0f) | %.1f | %d |\n", t.Name, Median(t.Startup),
			slices.Min(t.Startup), slices.Max(t.Startup), float64(Median(t.IdleRSS))/mib, t.Procs)
	}
}

// Brief writes what one scenario cost each target as Markdown.
func (r *Result) Brief(w io.Writer, scenario string) {
	fmt.Fprint(w, "| target | p50 µs (min–max) | p99 µs | calls/s | CPU µs a call | errors |\n|---|---:|---:|---:|---:|---:|\n")
	for _, t := range r.Targets {
		p50s := t.column(scenario, func(b *Block) float64 { return b.P50 })
		failed := 0
		for i := range t.Blocks[scenario] {
			failed += t.Blocks[scenario][i].Errors.Total()
		}
		switch {
		case len(p50s) > 0:
			fmt.Fprintf(w, "| %s | %.0f (%.0f–%.0f) | %.0f | %.0f | %.0f | %d |\n", t.Name,
				t.P50(scenario), slices.Min(p50s), slices.Max(p50s),
				Median(t.column(scenario, func(b *Block) float64 { return b.P99 })), t.Rate(scenario), t.CPU(scenario), failed)
		case t.Failed != "" || failed > 0:
			fmt.Fprintf(w, "| %s | failed | | | | %d |\n", t.Name, failed)
		}
	}
}

func (r *Result) row(w io.Writer, t *TargetResult, scenario string) {
	blocks := t.Blocks[scenario]
	if len(blocks) == 0 {
		return
	}
	var failures Errors
	calls := 0
	for i := range blocks {
		failures.merge(&blocks[i].Errors)
		calls += blocks[i].Calls
	}
	p50, rate := t.P50(scenario), t.Rate(scenario)
	over, slower, slowerRate := "", "", ""
	if base := r.Target(t.Baseline); base != nil && base != t && calls > 0 {
		if direct := base.P50(scenario); direct > 0 {
			over = fmt.Sprintf("%.0f", p50-direct)
			slower = fmt.Sprintf("%.2f", p50/direct)
			slowerRate = fmt.Sprintf("%.2f", rate/base.Rate(scenario))
		}
	}
	spread := ""
	if p50s := t.column(scenario, func(b *Block) float64 { return b.P50 }); len(p50s) > 0 {
		spread = fmt.Sprintf("(%.0f-%.0f)", slices.Min(p50s), slices.Max(p50s))
	}
	median := func(f func(*Block) float64) float64 { return Median(t.column(scenario, f)) }
	fmt.Fprintf(w, "| %s | %.0f %s | %.0f | %s | %s | %.0f | %s | %.0f | %.0f | %.0f | %.1f | %d | %s |\n", t.Name, p50, spread,
		median(func(b *Block) float64 { return b.P99 }), over, slower, rate, slowerRate, t.CPU(scenario),
		median(func(b *Block) float64 { return b.CPUServer }), median(func(b *Block) float64 { return b.CPUClient }),
		median(func(b *Block) float64 { return float64(b.PeakRSS) })/mib, calls, &failures)
	for _, sample := range failures.Samples {
		fmt.Fprintf(w, "<!-- %s: %s -->\n", t.Name, strings.ReplaceAll(sample, "\n", " "))
	}
}

// P50 is the median over the rounds of a scenario's median latency, in µs; 0
// when nothing was measured.
func (t *TargetResult) P50(scenario string) float64 {
	return Median(t.column(scenario, func(b *Block) float64 { return b.P50 }))
}

// Rate is the median over the rounds of a scenario's calls per second.
func (t *TargetResult) Rate(scenario string) float64 {
	return Median(t.column(scenario, func(b *Block) float64 { return b.Rate }))
}

// CPU is the median over the rounds of the proxy's CPU time per call, in µs.
func (t *TargetResult) CPU(scenario string) float64 {
	return Median(t.column(scenario, func(b *Block) float64 { return b.CPUProxy }))
}

// column takes one number out of each block in which a call succeeded.
func (t *TargetResult) column(scenario string, f func(*Block) float64) (out []float64) {
	blocks := t.Blocks[scenario]
	for i := range blocks {
		if blocks[i].Calls > 0 {
			out = append(out, f(&blocks[i]))
		}
	}
	return out
}

// Median of xs; 0 when empty.
func Median[T cmp.Ordered](xs []T) (m T) {
	if len(xs) == 0 {
		return m
	}
	s := slices.Clone(xs)
	slices.Sort(s)
	return s[len(s)/2]
}
