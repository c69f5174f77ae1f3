package measure

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/bench/internal/client"
	"github.com/mcp-relay/relay/bench/internal/server"
)

func TestParseScenario(t *testing.T) {
	for s, want := range map[string]Scenario{
		"echo:200@8": {"echo", 200, 8},
		"blob:2048":  {"blob", 2048, 1},
		"list":       {"list", 0, 1},
		"list@64":    {"list", 0, 64},
	} {
		if got, err := ParseScenario(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "x", "echo@0", "echo:-1", "echo:x", "blob:99999999999"} {
		if _, err := ParseScenario(s); err == nil {
			t.Errorf("%q accepted", s)
		}
	}
}

var quick = Limits{Calls: 60, Time: 5 * time.Second, Grace: 5 * time.Second}

func session(t *testing.T, h http.Handler, lanes int) *Session {
	t.Helper()
	ts := httptest.NewServer(h)
	t.Cleanup(ts.Close)
	c, err := client.HTTP(ts.URL+"/mcp", nil, lanes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Start("2025-06-18"); err != nil {
		t.Fatal(err)
	}
	s, err := discover(c, lanes, 3)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func nop() {}

func TestCleanRun(t *testing.T) {
	s := session(t, server.Handler(server.HTTPOptions{Options: server.Options{Tools: 4, Prefix: "p_"}}), 4)
	for _, sc := range []Scenario{{"echo", 200, 4}, {"blob", 5000, 4}, {"list", 0, 4}, {"sleep", 1, 4}} {
		b := run([]*Session{s}, sc, quick, nop, nop)
		if b.Errors.Total() != 0 || b.Calls != quick.Calls || b.P50 <= 0 || b.Max < b.P99 {
			t.Errorf("%s: %+v", sc, b)
		}
	}
}

// A faulty relay must show up as errors of the right kind, never as speed.
func TestFaultsAreCaught(t *testing.T) {
	honest := server.Handler(server.HTTPOptions{})
	faulty := func(change func(n int, reply []byte) []byte) http.Handler {
		n := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			rec := httptest.NewRecorder()
			honest.ServeHTTP(rec, httptest.NewRequest("POST", "/mcp", bytes.NewReader(body)))
			reply := rec.Body.Bytes()
			if bytes.Contains(body, []byte("tools/call")) {
				n++
				reply = change(n, reply)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(rec.Code)
			_, _ = w.Write(reply)
		})
	}
	var previous []byte
	for name, c := range map[string]struct {
		change func(int, []byte) []byte
		kind   func(*Errors) int
	}{
		"another call's text": {func(n int, b []byte) []byte {
			// Keep the id, swap the content: what a mixed-up relay does.
			i := bytes.Index(b, []byte(`"result"`))
			mine := bytes.Clone(b[i:])
			if n > 1 {
				b = append(bytes.Clone(b[:i]), previous...)
			}
			previous = mine
			return b
		}, func(e *Errors) int { return e.Content }},
		"another id": {func(_ int, b []byte) []byte {
			return bytes.Replace(b, []byte(`"id":`), []byte(`"id":9`), 1)
		}, func(e *Errors) int { return e.Transport }},
		"truncated text": {func(_ int, b []byte) []byte {
			return bytes.Replace(b, []byte("matched 3"), []byte("matched"), 1)
		}, func(e *Errors) int { return e.Content }},
		"tool error": {func(_ int, b []byte) []byte {
			return bytes.Replace(b, []byte(`"isError":false`), []byte(`"isError":true`), 1)
		}, func(e *Errors) int { return e.Tool }},
		"rpc error": {func(_ int, b []byte) []byte {
			return []byte(strings.Replace(string(b), `"result":{`, `"error":{"code":-32000,"message":"x","data":{`, 1) + "}")
		}, func(e *Errors) int { return e.RPC }},
	} {
		s := session(t, faulty(c.change), 1)
		b := run([]*Session{s}, Scenario{"echo", 200, 1}, Limits{Calls: 20, Time: 5 * time.Second, Grace: time.Second}, nop, nop)
		if c.kind(&b.Errors) < 19 || c.kind(&b.Errors) != b.Errors.Total() {
			t.Errorf("%s: %+v", name, b.Errors)
		}
	}
}

// Blocks end in time even if the target never answers.
func TestBlockIsBounded(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	honest := server.Handler(server.HTTPOptions{})
	s := session(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("tools/call")) {
			<-hang
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		honest.ServeHTTP(w, r)
	}), 2)
	start := time.Now()
	b := run([]*Session{s}, Scenario{"echo", 200, 2}, Limits{Calls: 10, Time: 50 * time.Millisecond, Grace: 100 * time.Millisecond}, nop, nop)
	if b.Errors.Transport == 0 || time.Since(start) > 5*time.Second {
		t.Errorf("%+v after %v", b.Errors, time.Since(start))
	}
}

func TestLoadTargetsAndExpand(t *testing.T) {
	dir := t.TempDir()
	_ = os.WriteFile(filepath.Join(dir, "c.tmpl"), []byte(`{{range .Servers}}{{.Name}}={{json .URL}} {{end}}`), 0o600)
	_ = os.WriteFile(filepath.Join(dir, "t.json"), []byte(`{"targets":[{"name":"a","front":"http","url":"http://127.0.0.1:{{.Port}}/","files":{"c":"@c.tmpl"}}]}`), 0o600)
	ts, err := LoadTargets(filepath.Join(dir, "t.json"))
	if err != nil {
		t.Fatal(err)
	}
	v := Vars{Port: 7, Servers: []Server{{Name: "s0", URL: "u0"}, {Name: "s1", URL: "u1"}}}
	if got, err := expand(ts[0].Files["c"], v); err != nil || got != `s0="u0" s1="u1" ` {
		t.Errorf("%q, %v", got, err)
	}
	if got, _ := expand(ts[0].URL, v); got != "http://127.0.0.1:7/" || ts[0].Baseline != "direct-http" {
		t.Errorf("%q, baseline %q", got, ts[0].Baseline)
	}
	_ = os.WriteFile(filepath.Join(dir, "t.json"), []byte(`{"targets":[{"name":"a","front":"tcp"}]}`), 0o600)
	if _, err := LoadTargets(filepath.Join(dir, "t.json")); err == nil {
		t.Error("unknown front accepted")
	}
}

func TestMedianAndTable(t *testing.T) {
	if m := Median([]float64{5, 1, 3}); m != 3 {
		t.Errorf("median %v", m)
	}
	sc := Scenario{"echo", 200, 1}
	blocks := func(p50 float64) map[string][]Block {
		return map[string][]Block{sc.String(): {{Calls: 1, P50: p50, Rate: 1e6 / p50}}}
	}
	base := &TargetResult{Name: "direct-http", Front: "http", Startup: []float64{1}, IdleRSS: []int64{0}, Blocks: blocks(100)}
	px := &TargetResult{Name: "px", Front: "http", Baseline: "direct-http", Startup: []float64{1}, IdleRSS: []int64{0}, Blocks: blocks(250)}
	r := &Result{Targets: []*TargetResult{base, px}, order: []Scenario{sc}}
	var out strings.Builder
	r.Table(&out)
	if want := "| 150 | 2.50 | 4000 | 0.40 |"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}
