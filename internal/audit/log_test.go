package audit

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t *testing.T, o Options) *Log {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet()
	}
	if o.State == "" {
		o.State = t.TempDir()
	}
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "audit.jsonl")
	l := open(t, Options{Path: path})
	if err := l.Write(full()); err != nil {
		t.Fatal(err)
	}
	if got := lines(t, path); len(got) != 2 || !strings.HasPrefix(got[1], `{"time":`) {
		t.Errorf("the file holds %q", got)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, o := range map[string]Options{
		"a directory":        {Path: dir},
		"an unknown policy":  {Path: filepath.Join(dir, "a"), OnError: "maybe"},
		"a file as a parent": {Path: filepath.Join(dir, "f", "a")},
	} {
		if err := os.WriteFile(filepath.Join(dir, "f"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestStderr(t *testing.T) {
	var buf bytes.Buffer
	l := open(t, Options{Path: Stderr, Stderr: &buf})
	if err := l.Write(full()); err != nil || strings.Count(buf.String(), "\n") != 1 {
		t.Errorf("wrote %q, %v", buf.String(), err)
	}
}

func TestDiscard(t *testing.T) {
	if err := Discard().Write(full()); err != nil {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	const device = "/dev/full"
	if _, err := os.Stat(device); err != nil {
		t.Skip("no " + device)
	}
	if err := open(t, Options{Path: device, OnError: Block}).Write(full()); err == nil {
		t.Error("block: no error from a full disk")
	}
	l := open(t, Options{Path: device, OnError: Allow})
	if err := l.Write(full()); err != nil {
		t.Errorf("allow: %v", err)
	}
	if l.Lost() != 1 {
		t.Errorf("%d records lost, want 1", l.Lost())
	}
}

// brittle writes half of what it gets and fails while broken is set.
type brittle struct {
	bytes.Buffer
	broken bool
}

var errBroken = errors.New("broken")

func (b *brittle) Write(p []byte) (int, error) {
	if !b.broken {
		return b.Buffer.Write(p)
	}
	n, _ := b.Buffer.Write(p[:len(p)/2])
	return n, errBroken
}

func TestHalfALineDoesNotSpoilTheNext(t *testing.T) {
	w := &brittle{broken: true}
	l := open(t, Options{Path: Stderr, Stderr: w, OnError: Block})
	if err := l.Write(full()); !errors.Is(err, errBroken) {
		t.Fatalf("got %v", err)
	}
	w.broken = false
	if err := l.Write(full()); err != nil {
		t.Fatal(err)
	}
	all := strings.Split(w.String(), "\n")
	if len(all) != 4 || !strings.Contains(all[1], `"event":"lost","count":1}`) || !strings.HasSuffix(all[2], "}") {
		t.Errorf("the log holds %q", all)
	}
}

func TestLossIsReportedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := &brittle{broken: true}
		l, err := Open(Options{Path: Stderr, Stderr: w, OnError: Allow, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		for range 90 { // a minute and a half
			if err := l.Write(full()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), "audit records are being lost"); n != 2 {
			t.Errorf("%d reports, want 2:\n%s", n, log.String())
		}
		if l.Lost() != 90 || !strings.Contains(log.String(), "lost=61") {
			t.Errorf("%d lost, log:\n%s", l.Lost(), log.String())
		}
	})
}

func TestRotation(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "audit.jsonl")
	l := open(t, Options{Path: path, State: state, OnError: Block, maxBytes: 8 << 10, MaxBackups: 3})
	for range 95 {
		if err := l.Write(full()); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 4 {
		t.Errorf("%d files, want the log and 3 backups: %v", len(entries), entries)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Size() > 8<<10+1<<10 {
			t.Errorf("%s has %d bytes, %v", e.Name(), info.Size(), err)
		}
	}
}

// TestSharedFile lets several logs, as several processes would, fill one file.
func TestSharedFile(t *testing.T) {
	const writers, records = 4, 200
	dir, state := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "audit.jsonl")
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			l, err := Open(Options{Path: path, State: state, Logger: quiet(), maxBytes: 16 << 10, MaxBackups: -1})
			if err != nil {
				t.Error(err)
				return
			}
			for range records {
				if err := l.Write(full()); err != nil && runtime.GOOS != "windows" {
					t.Error(err)
				}
			}
			_ = l.Close()
		})
	}
	wg.Wait()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, e := range entries {
		for _, line := range lines(t, filepath.Join(dir, e.Name())) {
			if !strings.HasPrefix(line, `{"time":`) || !strings.HasSuffix(line, "}") {
				t.Fatalf("a torn line: %q", line)
			}
			if strings.Contains(line, `"event":"verdict"`) {
				total++
			}
		}
	}
	if r := verify(t, state, path); !r.Intact || len(r.Chains) != writers {
		t.Errorf("%+v", r)
	}
	if total != writers*records {
		t.Errorf("%d records, want %d", total, writers*records)
	}
}

// A relay that starts when the record is full, or while another one turns it,
// begins a chain like any other.
func TestChainBeginsInAFullFile(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "audit.jsonl")
	for range 3 {
		l, err := Open(Options{Path: path, State: state, Logger: quiet(), maxBytes: 100, MaxBackups: -1})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Write(full()); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if r := verify(t, state, path); !r.Intact || len(r.Chains) != 3 || len(r.Files) < 3 {
		t.Errorf("%+v", r)
	}
}

func TestMovedAwayFileIsFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l := open(t, Options{Path: path})
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Skip(err)
	}
	l.file.looked = time.Time{} // a second has passed
	if err := l.Write(full()); err != nil {
		t.Fatal(err)
	}
	if all := lines(t, path); len(all) != 2 || !strings.Contains(all[0], `"event":"continue","reason":"followed"`) {
		t.Errorf("at the path: %q", all)
	}
}

func TestClosed(t *testing.T) {
	l := open(t, Options{Path: filepath.Join(t.TempDir(), "a"), OnError: Block})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(full()); !errors.Is(err, errClosed) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	for name, path := range map[string]string{"file": filepath.Join(b.TempDir(), "audit.jsonl"), "discarded": Stderr} {
		b.Run(name, func(b *testing.B) {
			l, err := Open(Options{Path: path, State: b.TempDir(), Stderr: io.Discard, Logger: quiet()})
			if err != nil {
				b.Fatal(err)
			}
			r := full()
			r.Findings, r.Uninspected = nil, nil
			b.ReportAllocs()
			for b.Loop() {
				if err := l.Write(r); err != nil {
					b.Fatal(err)
				}
			}
			_ = l.Close()
		})
	}
}

// What nothing judged costs less, as it may wait for company.
func BenchmarkWriteUnjudged(b *testing.B) {
	l, err := Open(Options{Path: filepath.Join(b.TempDir(), "audit.jsonl"), State: b.TempDir(), Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	r := full()
	r.Event, r.Action, r.Findings, r.Uninspected = Decision, verdict.Allow, nil, nil
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Write(r); err != nil {
			b.Fatal(err)
		}
	}
	_ = l.Close()
}

func BenchmarkVerify(b *testing.B) {
	path, state := filepath.Join(b.TempDir(), "audit.jsonl"), b.TempDir()
	l, err := Open(Options{Path: path, State: state, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	const records = 10_000
	for range records {
		if err := l.Write(full()); err != nil {
			b.Fatal(err)
		}
	}
	_ = l.Close()
	for b.Loop() {
		if r, err := Verify(state, path); err != nil || !r.Intact {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}
