package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// entries decodes what a log wrote.
func entries(t *testing.T, out string) []Entry {
	t.Helper()
	var all []Entry
	for text := range strings.Lines(out) {
		var e Entry
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		all = append(all, e)
	}
	return all
}

func TestFloodsAreCounted(t *testing.T) {
	note := Record{Event: Verdict, Phase: verdict.Notification, Action: verdict.Allow, Server: "s", Scanner: "g"}
	blocked := note
	blocked.Action = verdict.Block
	blocked.Findings = []verdict.Finding{{Rule: "r"}}
	request := blocked
	request.Phase = verdict.Request
	for name, test := range map[string]struct {
		record  Record
		written int // of 1000
	}{
		"anomalies":                {Record{Event: Anomaly, Server: "s", Reason: "late"}, 1},
		"withheld again":           {Record{Event: Withheld, Server: "s", Target: "t", Reason: "blocked"}, 1},
		"a definition that flaps":  {Record{Event: Drift, Server: "s", Target: "t", Reason: "url"}, 5},
		"notifications that pass":  {note, 1},
		"notifications blocked":    {blocked, 20},
		"requests are all written": {request, 1000},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			l, err := Open(Options{Path: Stderr, Stderr: &out, Logger: quiet()})
			if err != nil {
				t.Fatal(err)
			}
			for range 1000 {
				if err := l.Write(&test.record); err != nil {
					t.Fatal(err)
				}
			}
			written := func() string {
				l.mu.Lock()
				defer l.mu.Unlock()
				return out.String()
			}
			if n := len(entries(t, written())); n != test.written {
				t.Errorf("%s: %d records at once, want %d", name, n, test.written)
			}
			time.Sleep(window + time.Second)
			synctest.Wait()
			var total uint64
			all := entries(t, written())
			for i := range all {
				total += all[i].Times()
			}
			if total != 1000 || test.written < 1000 && (len(all) != test.written+1 || all[test.written].Since == nil) {
				t.Errorf("%s: %d records stand for %d", name, len(all), total)
			}
			// In the next window the first is written again.
			if err := l.Write(&test.record); err != nil {
				t.Fatal(err)
			}
			if again := entries(t, written()); len(again) != len(all)+1 {
				t.Errorf("%s: %d records, had %d", name, len(again), len(all))
			}
			_ = l.Close()
		})
	}
}

// Names that a server makes up do not help it to fill the record.
func TestFloodOfNames(t *testing.T) {
	var out bytes.Buffer
	l := open(t, Options{Path: Stderr, Stderr: &out})
	for i := range 10 * maxShapes {
		r := Record{Event: Verdict, Phase: verdict.Notification, Action: verdict.Allow, Server: "s", Method: fmt.Sprint("notifications/", i)}
		if err := l.Write(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var total uint64
	all := entries(t, out.String())
	for i := range all {
		total += all[i].Times()
	}
	if total != 10*maxShapes || len(all) > maxShapes+2 {
		t.Errorf("%d records stand for %d", len(all), total)
	}
}

// What was counted is in the record when the relay ends.
func TestCountsAtTheEnd(t *testing.T) {
	p := newPlace(t)
	l := p.start(t, Options{})
	for range 5 {
		if err := l.Write(&Record{Event: Anomaly, Server: "s", Reason: "late"}); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, l)
	if all := lines(t, p.path); len(all) != 4 || !strings.Contains(all[2], `"count":4`) {
		t.Errorf("%q", all)
	}
}

// A record that may wait and then cannot be written blocks what comes after it.
func TestNothingWaitsWhileWritingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &brittle{broken: true}
		l, err := Open(Options{Path: Stderr, Stderr: w, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		unjudged := Record{Event: Decision, Action: verdict.Allow}
		if err := l.Write(&unjudged); err != nil {
			t.Errorf("the first: %v", err)
		}
		time.Sleep(2 * flushAfter)
		synctest.Wait()
		if l.Lost() != 1 {
			t.Errorf("%d lost", l.Lost())
		}
		for _, r := range []*Record{&unjudged, {Event: Anomaly}, {Event: Anomaly}} {
			if err := l.Write(r); !errors.Is(err, errBroken) {
				t.Errorf("%s: %v", r.Event, err)
			}
		}
		w.broken = false
		if err := l.Write(&unjudged); err != nil {
			t.Error(err)
		}
		said := 0
		for line := range strings.Lines(w.String()) {
			if _, count, ok := strings.Cut(line, `"event":"lost","count":`); ok && strings.HasSuffix(line, "}\n") {
				n, err := strconv.Atoi(strings.TrimSuffix(count, "}\n"))
				if err != nil {
					t.Error(err)
				}
				said += n
			}
		}
		if said != 4 {
			t.Errorf("it says that %d records are lost:\n%s", said, w.String())
		}
		_ = l.Close()
	})
}
