package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
	"github.com/mcp-relay/relay/internal/verdict"
)

func verify(t *testing.T, state string, paths ...string) *Report {
	t.Helper()
	r, err := Verify(state, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// place is a record and the state directory of who writes it.
type place struct{ path, state string }

func newPlace(t *testing.T) place {
	t.Helper()
	return place{filepath.Join(t.TempDir(), "audit.jsonl"), t.TempDir()}
}

// start begins a chain, as a process would.
func (p place) start(t *testing.T, o Options) *Log {
	t.Helper()
	o.Path, o.State = p.path, p.state
	return open(t, o)
}

func put(t *testing.T, l *Log, n int) {
	t.Helper()
	for range n {
		if err := l.Write(full()); err != nil {
			t.Fatal(err)
		}
	}
}

func finish(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// kill leaves a chain as a process does that is killed when its head was noted.
func kill(l *Log) {
	l.noteHead()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	_ = l.file.close()
	l.header.mu.Lock()
	l.header.ended = true
	l.header.mu.Unlock()
}

// edit changes the lines of a file.
func (p place) edit(t *testing.T, change func(lines []string) []string) {
	t.Helper()
	text, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	all := change(slices.Collect(strings.Lines(string(text))))
	if err := os.WriteFile(p.path, []byte(strings.Join(all, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// three leaves three chains of five lines: an ended one, one that was killed, and
// an ended one.
func three(t *testing.T) place {
	t.Helper()
	p := newPlace(t)
	l := p.start(t, Options{})
	put(t, l, 3)
	finish(t, l)
	l = p.start(t, Options{})
	put(t, l, 4)
	kill(l)
	l = p.start(t, Options{})
	put(t, l, 3)
	finish(t, l)
	return p
}

func TestIntact(t *testing.T) {
	r := verify(t, three(t).state, three(t).path)
	if r.Intact {
		t.Error("the record of another installation is intact")
	}
	p := three(t)
	r = verify(t, p.state, p.path)
	if !r.Intact || len(r.Problems) != 0 || len(r.Chains) != 3 || r.Records != 15 || r.Torn != 0 {
		t.Fatalf("%+v", r)
	}
	for i, c := range r.Chains {
		if c.Closed != (i != 1) || c.First != 1 || c.Last != 5 || c.Records != 5 || (c.Noted != nil) != (i == 1) {
			t.Errorf("chain %d: %+v", i, c)
		}
	}
}

func TestTampering(t *testing.T) {
	remove := func(from, to int) func([]string) []string {
		return func(all []string) []string { return slices.Delete(all, from, to) }
	}
	for name, test := range map[string]struct {
		change func(all []string) []string
		kinds  []string
	}{
		"a word changed": {func(all []string) []string {
			all[1] = strings.Replace(all[1], "redact", "allow", 1)
			return all
		}, []string{Altered}},
		"the first line changed": {func(all []string) []string {
			all[0] = strings.Replace(all[0], "start", "other", 1)
			return all
		}, []string{Altered, Missing}},
		"the last line changed": {func(all []string) []string {
			all[14] = strings.Replace(all[14], "end", "not", 1)
			return all
		}, []string{Altered, Cut}},
		"the number changed": {func(all []string) []string {
			all[2] = strings.Replace(all[2], `"seq":3`, `"seq":9`, 1)
			return all
		}, []string{Altered, Missing}},
		"a line removed":       {remove(2, 3), []string{Missing}},
		"the first removed":    {remove(0, 1), []string{Missing}},
		"the last removed":     {remove(14, 15), []string{Cut}},
		"the end of an ended":  {remove(3, 5), []string{Cut, Cut}},
		"the end of a killed":  {remove(8, 10), []string{Cut, Cut}},
		"a whole ended chain":  {remove(0, 5), []string{Missing}},
		"a whole killed chain": {remove(5, 10), []string{Missing, Missing}},
		"everything":           {remove(0, 15), []string{Missing}},
		"two lines swapped": {func(all []string) []string {
			all[1], all[2] = all[2], all[1]
			return all
		}, []string{Missing, Moved}},
		"a line twice": {func(all []string) []string { return slices.Insert(all, 4, all[2]) }, []string{Moved}},
		"a line made up": {func(all []string) []string {
			return slices.Insert(all, 3, `{"time":"2026-11-22T07:30:00.123456Z","event":"verdict","action":"allow"}`+"\n")
		}, []string{Unchained}},
		"a line made up in a chain": {func(all []string) []string {
			return slices.Insert(all, 3, strings.Replace(all[3], "redact", "allow", 1))
		}, []string{Altered, Moved}},
		"a line cut": {func(all []string) []string {
			all[2] = all[2][:100] + "\n"
			return all
		}, []string{Missing}},
		"of another file": {func(all []string) []string {
			other, err := os.ReadFile(three(t).path)
			if err != nil {
				t.Fatal(err)
			}
			return append(all, slices.Collect(strings.Lines(string(other)))[0])
		}, []string{Altered}},
	} {
		t.Run(name, func(t *testing.T) {
			p := three(t)
			p.edit(t, test.change)
			r, err := verifyLater(t, p)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, problem := range r.Problems {
				kinds = append(kinds, problem.Kind)
			}
			slices.Sort(kinds)
			slices.Sort(test.kinds)
			if r.Intact || !slices.Equal(kinds, test.kinds) {
				t.Errorf("problems %+v, want %q", r.Problems, test.kinds)
			}
		})
	}
}

// verifyLater verifies when no chain can be just beginning.
func verifyLater(t *testing.T, p place) (*Report, error) {
	t.Helper()
	return verifyAt(time.Now().Add(2*grace), p.state, p.path)
}

// The notes are no way around it.
func TestNotesCannotBeForged(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, file string)
		intact bool
	}{
		"untouched": {func(*testing.T, string) {}, true},
		"removed": {func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}, false},
		"changed": {func(t *testing.T, file string) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text = []byte(strings.Replace(string(text), `"seq":5`, `"seq":3`, 1))
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		p := three(t)
		names, err := os.ReadDir(filepath.Join(p.state, headsDir))
		if err != nil || len(names) != 1 {
			t.Fatalf("notes: %v, %v", names, err)
		}
		test.change(t, filepath.Join(p.state, headsDir, names[0].Name()))
		if r, err := verifyLater(t, p); err != nil || r.Intact != test.intact {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestTornLinesAreNoTampering(t *testing.T) {
	p := three(t)
	p.edit(t, func(all []string) []string { return append(all, all[14][:77]) })
	l := p.start(t, Options{})
	put(t, l, 1)
	finish(t, l)
	r := verify(t, p.state, p.path)
	if !r.Intact || r.Torn != 1 || r.Records != 18 {
		t.Errorf("%+v", r)
	}
	// Another process was faster than the line feed.
	p.edit(t, func(all []string) []string {
		all[17] = all[3][:77] + all[17]
		return all
	})
	if r := verify(t, p.state, p.path); !r.Intact || r.Torn != 2 || r.Records != 18 {
		t.Errorf("%+v", r)
	}
}

func TestRotatedAndPruned(t *testing.T) {
	p := newPlace(t)
	a := p.start(t, Options{maxBytes: 8 << 10, MaxBackups: 2})
	b := p.start(t, Options{maxBytes: 8 << 10, MaxBackups: 2})
	put(t, b, 2)
	for range 8 {
		put(t, a, 9)
		b.mu.Lock()
		b.file.looked = time.Time{}
		b.mu.Unlock()
		put(t, b, 1)
	}
	finish(t, a)
	finish(t, b)
	r := verify(t, p.state, p.path)
	if !r.Intact || len(r.Files) != 3 || len(r.Chains) != 2 || r.Chains[0].First == 1 {
		t.Fatalf("%+v", r)
	}
	// A backup more is missing than was pruned.
	if err := os.Remove(r.Files[0]); err != nil {
		t.Fatal(err)
	}
	r = verify(t, p.state, p.path)
	if r.Intact || !slices.ContainsFunc(r.Problems, func(p Problem) bool { return p.Kind == Missing && p.File != "" }) {
		t.Errorf("%+v", r)
	}
}

// The beginning of the oldest file is no place to take something away from.
func TestBeginningOfTheOldestFile(t *testing.T) {
	for name, test := range map[string]struct {
		idle   time.Duration
		intact bool
	}{
		"b had written shortly before": {-2 * lag, false},
		"b had written long before":    {time.Hour, true},
	} {
		p := newPlace(t)
		small := Options{maxBytes: 8 << 10, MaxBackups: 2}
		b := p.start(t, small)
		a := p.start(t, small)
		put(t, a, 40)
		b.latest = time.Now().Add(-test.idle)
		b.file.looked = time.Time{}
		put(t, b, 1)
		finish(t, a)
		finish(t, b)
		if r := verify(t, p.state, p.path); r.Intact != test.intact {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A record that could not be written leaves no gap, and a record that says so.
func TestLostRecords(t *testing.T) {
	p := newPlace(t)
	l := p.start(t, Options{OnError: Allow})
	w := &brittle{}
	l.out = &tee{l.file, w}
	put(t, l, 2)
	w.broken = true
	put(t, l, 3)
	w.broken = false
	put(t, l, 1)
	finish(t, l)
	r := verify(t, p.state, p.path)
	if !r.Intact || len(r.Chains) != 1 || r.Chains[0].Lost != 3 || r.Torn != 0 || r.Records != 6 {
		t.Errorf("%+v", r)
	}
}

// tee writes to a file unless the other writer is broken.
type tee struct {
	f *file
	w *brittle
}

func (t *tee) Write(p []byte) (int, error) {
	if t.w.broken {
		return 0, errBroken
	}
	return t.f.Write(p)
}

// Whole lines of a batch that was cut are part of the chain.
func TestHalfABatch(t *testing.T) {
	p := newPlace(t)
	l := p.start(t, Options{OnError: Allow})
	l.out = &short{l.file, 2.5}
	for range 4 {
		if err := l.Write(&Record{Event: Decision, Action: verdict.Allow, Target: "same length"}); err != nil {
			t.Fatal(err)
		}
	}
	l.flushWaiting()
	put(t, l, 1)
	finish(t, l)
	r := verify(t, p.state, p.path)
	if !r.Intact || r.Torn != 1 || r.Chains[0].Lost != 2 || r.Records != 6 {
		t.Errorf("%+v", r)
	}
}

// short writes so many lines the first time, the last of them in part.
type short struct {
	f     *file
	lines float64
}

func (s *short) Write(p []byte) (int, error) {
	if s.lines == 0 {
		return s.f.Write(p)
	}
	n := int(s.lines * float64(bytes.IndexByte(p, '\n')+1))
	s.lines = 0
	n, _ = s.f.Write(p[:n])
	return n, errBroken
}

func TestBrokenKey(t *testing.T) {
	dir, err := statefile.Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := dir.Write(KeyFile, []byte("0a")); err != nil {
		t.Fatal(err)
	}
	if _, err := ensureKey(dir); !errors.Is(err, errKey) {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("")
	f.Add(`{"time":"2026-11-22T07:30:00.123456Z","event":"verdict","chain":"abcdefghijkl","seq":1,"prev":"AAAAAAAAAAAAAAAAAAAAAA","mac":"AAAAAAAAAAAAAAAAAAAAAA"}` + "\n")
	f.Add(`{"time":"` + "\n" + `,"mac":"` + "\n}")
	state := f.TempDir()
	path := filepath.Join(f.TempDir(), "audit.jsonl")
	l, err := Open(Options{Path: path, State: state, Logger: quiet()})
	if err != nil {
		f.Fatal(err)
	}
	_ = l.Close()
	honest, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, append([]byte(text), honest...), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Verify(state, path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if _, ok := parseLink([]byte(strings.TrimSuffix(line, "\n"))); ok && strings.HasSuffix(line, "\n") && r.Intact {
				t.Fatalf("%q is taken for a line of ours", line)
			}
		}
	})
}
