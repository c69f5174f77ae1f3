package relay

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.buf.Reset()
	return b.buf.String()
}

// logLines returns a logger and what was logged since it was asked last, without
// the times.
func logLines(level slog.Level) (*slog.Logger, func() []string) {
	out := &lockedBuffer{}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	return log, func() []string {
		synctest.Wait()
		text := strings.TrimSpace(out.take())
		if text == "" {
			return nil
		}
		return strings.Split(text, "\n")
	}
}

func TestRepeatsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := logLines(slog.LevelInfo)
		r := newRepeats(log)
		want := func(when string, lines, want []string) {
			t.Helper()
			if !slices.Equal(lines, want) {
				t.Errorf("%s: logged %q, want %q", when, lines, want)
			}
		}
		for i := range 1000 {
			r.write(slog.LevelWarn, "it happened", "a", "x", slog.Int("target", i))
			r.write(slog.LevelDebug, "it happened", "a", "x")
		}
		r.write(slog.LevelWarn, "it happened", "a", "y")
		r.write(slog.LevelWarn, "it happened", "b", "x")
		r.write(slog.LevelWarn, "so did this", "a", "x")
		want("at first", lines(), []string{
			`level=WARN msg="it happened" server=a reason=x target=0`,
			`level=WARN msg="it happened" server=a reason=y`,
			`level=WARN msg="it happened" server=b reason=x`,
			`level=WARN msg="so did this" server=a reason=x`,
		})
		time.Sleep(repeatWindow + time.Second)
		want("after a minute", lines(), []string{`level=WARN msg="it happened, again" server=a reason=x skipped=999`})
		// The line about those left out stands for the next minute.
		r.write(slog.LevelWarn, "it happened", "a", "x")
		r.write(slog.LevelWarn, "it happened", "a", "y")
		want("then", lines(), []string{`level=WARN msg="it happened" server=a reason=y`})
		time.Sleep(repeatWindow)
		want("after two", lines(), []string{`level=WARN msg="it happened, again" server=a reason=x skipped=1`})
		time.Sleep(2 * repeatWindow)
		r.write(slog.LevelWarn, "it happened", "a", "x")
		r.write(slog.LevelWarn, "it happened", "a", "x")
		want("after silence", lines(), []string{`level=WARN msg="it happened" server=a reason=x`})
		r.close()
		want("at the end", lines(), []string{`level=WARN msg="it happened, again" server=a reason=x skipped=1`})
		r.write(slog.LevelWarn, "it happened", "a", "x")
		want("after it", lines(), []string{`level=WARN msg="it happened" server=a reason=x`})
	})
}

func TestRepeatsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := logLines(slog.LevelInfo)
		r := newRepeats(log)
		for i := range 10 * maxRepeats {
			r.write(slog.LevelWarn, "it happened", "a", fmt.Sprint(i))
		}
		if got := len(lines()); got > maxRepeats+1 || len(r.kinds) > maxRepeats+1 {
			t.Errorf("%d lines, %d kinds", got, len(r.kinds))
		}
		r.close()
	})
}

// TestAServerCannotFloodTheLog: neither by what it offers nor by what it sends.
func TestAServerCannotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tools []string
		for i := range 50 {
			tools = append(tools, fmt.Sprintf(`{"name":"t%d","_meta":{"ui":{"csp":{"connectDomains":["https://evil"]}}}}`, i))
		}
		log, lines := logLines(slog.LevelWarn)
		r := start(t, func(o *Options) { o.Log = log }, &fakeServer{
			capabilities: `{"tools":{}}`, answers: map[string]string{"tools/list": `{"tools":[` + strings.Join(tools, ",") + `]}`},
		})
		r.greets(`{}`)
		r.ask(toolsList)
		for range 1000 {
			r.relay.servers()[0].anomaly("progress_of_no_call")
		}
		got := lines()
		if len(got) != 2 || !strings.Contains(got[0], "not offered") || !strings.Contains(got[0], "target=t0") ||
			!strings.Contains(got[1], "dropped a message") {
			t.Errorf("logged %q", got)
		}
		if n := r.audit.withheld(); n != 50 {
			t.Errorf("%d records of what is not offered", n)
		}
		time.Sleep(repeatWindow + time.Second)
		if got = lines(); len(got) != 2 || !strings.Contains(strings.Join(got, " "), "skipped=49") ||
			!strings.Contains(strings.Join(got, " "), "skipped=999") {
			t.Errorf("a minute later it logged %q", got)
		}
	})
}
