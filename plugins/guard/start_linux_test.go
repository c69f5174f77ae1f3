package guard

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/scannertest"
)

// programVariable names the command that serves guard, such as "relay __scanner
// guard".
const programVariable = "GUARD_PROGRAM"

// BenchmarkStart reports medians of a process that serves guard as the relay has
// it served, from its start: the processor time and the time until it is
// configured and has scanned one content of each kind (start-ms, wall-ms), its
// memory then (rss-MiB), how much of the time was the first scan's (first-ms),
// and what the same one costs later (later-ms).
func BenchmarkStart(b *testing.B) {
	program := os.Getenv(programVariable)
	if program == "" {
		b.Skip("make guard-bench says which program")
	}
	pid := filepath.Join(b.TempDir(), "pid")
	var cpu, wall, memory, first, later []float64
	for b.Loop() {
		began := time.Now()
		client := scannertest.Start(b, "/bin/sh", "-c", `echo $$ >"$0"; exec "$@"`, pid, "/usr/bin/env", "-S", program)
		if err := client.Configure(b.Context(), "{}"); err != nil {
			b.Fatal(err)
		}
		one := firstScans(b, client)
		wall = append(wall, milliseconds(time.Since(began)))
		used, resident := usage(b, pid)
		cpu, memory = append(cpu, used), append(memory, resident)
		first, later = append(first, milliseconds(one)), append(later, milliseconds(firstScans(b, client)))
	}
	for unit, list := range map[string][]float64{
		"start-ms": cpu, "wall-ms": wall, "rss-MiB": memory, "first-ms": first, "later-ms": later,
	} {
		slices.Sort(list)
		b.ReportMetric(list[len(list)/2], unit)
	}
}

// firstScans scans what a relay that has just started has scanned.
func firstScans(b *testing.B, client *scannertest.Client) time.Duration {
	b.Helper()
	began := time.Now()
	for _, c := range []scanner.Content{
		jsonContent(scanner.PhaseDefinition, `{"tools":[{"name":"read_file","description":"Read the complete contents of a file.",`+
			`"inputSchema":{"type":"object","properties":{"path":{"type":"string","description":"where the file is"}}}}]}`),
		jsonContent(scanner.PhaseRequest, `{"name":"read_file","arguments":{"path":"/home/ada/notes/monday.txt"}}`),
		jsonContent(scanner.PhaseResponse, `{"content":[{"type":"text","text":"Call the plumber before noon, and send the invoice to the office."}]}`),
	} {
		if _, err := client.Scan(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// usage returns the processor time, in milliseconds, and the most memory, in MiB,
// that the process has used whose id is in a file.
func usage(b *testing.B, pid string) (cpu, memory float64) {
	b.Helper()
	id, err := os.ReadFile(pid)
	if err != nil {
		b.Fatal(err)
	}
	proc := filepath.Join("/proc", strings.TrimSpace(string(id)))
	threads, err := filepath.Glob(filepath.Join(proc, "task", "*", "schedstat"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range threads {
		var ns float64
		if data, err := os.ReadFile(name); err == nil {
			if _, err := fmt.Sscan(string(data), &ns); err != nil {
				b.Fatal(err)
			}
		}
		cpu += ns / 1e6
	}
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		b.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(line)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return cpu, kib / 1024
}
