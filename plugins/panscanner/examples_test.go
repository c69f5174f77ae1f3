package panscanner_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
	"github.com/mcp-relay/relay/scanner"
)

type example struct {
	Status   int             `json:"status"`
	Request  json.RawMessage `json:"request"`
	Response json.RawMessage `json:"response"`
}

func examples(t *testing.T) map[string]example {
	t.Helper()
	paths, err := filepath.Glob("testdata/examples/*.json")
	if err != nil || len(paths) < 20 {
		t.Fatalf("%d examples, error %v", len(paths), err)
	}
	out := map[string]example{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var e example
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if string(e.Request) == "null" {
			e.Request = nil
		}
		out[strings.TrimSuffix(filepath.Base(path), ".json")] = e
	}
	return out
}

// TestExampleVerdicts serves the response of every example to a scan of its
// content and checks the verdict.
func TestExampleVerdicts(t *testing.T) {
	verdicts := map[string]struct {
		action  scanner.Action
		rule    string
		pointer string
	}{
		"1-allow":               {scanner.ActionAllow, "", ""},
		"2-block-injection":     {scanner.ActionBlock, "airs/agent", ""},
		"3-block-dlp-masked":    {scanner.ActionBlock, "airs/dlp", ""}, // masks a prompt, which is not what was sent
		"4-block-malicious-url": {scanner.ActionBlock, "airs/url_cats", ""},
		"5a-block-tools-list":   {scanner.ActionBlock, "airs/agent", "/tools/1"},
		"5b-block-tools-call":   {scanner.ActionBlock, "airs/dlp", ""}, // the masked text is no JSON
		"6-partial-timeout":     {scanner.ActionBlock, "airs/incomplete", ""},
		"7-alert-only-profile":  {scanner.ActionFlag, "airs/injection", ""},
	}
	failures := map[string]scanner.Error{
		"6b-partial-allow":           {Reason: scanner.ReasonTimeout, ContentCaused: true},
		"e400-empty-contents":        {Reason: scanner.ReasonInternal, ContentCaused: true},
		"e400-generic":               {Reason: scanner.ReasonInternal, ContentCaused: true},
		"e400-native-object":         {Reason: scanner.ReasonInternal, ContentCaused: true},
		"e400-no-content-field":      {Reason: scanner.ReasonInternal, ContentCaused: true},
		"e400-unsupported-ecosystem": {Reason: scanner.ReasonInternal, ContentCaused: true},
		"e400-unsupported-method":    {Reason: scanner.ReasonInternal, ContentCaused: true},
		"e401":                       {Reason: scanner.ReasonUnauthenticated},
		"e403":                       {Reason: scanner.ReasonUnauthenticated},
		"e404":                       {Reason: scanner.ReasonInternal},
		"e405":                       {Reason: scanner.ReasonInternal},
		"e413":                       {Reason: scanner.ReasonTooLarge, ContentCaused: true},
		"e415":                       {Reason: scanner.ReasonInternal},
		"e429":                       {Reason: scanner.ReasonRateLimited, RetryAfter: 5 * 60e9},
		"e500":                       {Reason: scanner.ReasonUnavailable},
	}
	for name, e := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(e.Status)
				_, _ = w.Write(e.Response)
			}))
			defer srv.Close()
			s := configured(t, srv.URL, map[string]any{"max_retries": 0})
			v, err := s.Scan(t.Context(), exampleContent(t, e))
			want, ok := verdicts[name]
			if !ok {
				wanted, known := failures[name]
				if !known {
					t.Fatal("no expectation")
				}
				got := failure(t, err)
				if got.Reason != wanted.Reason || got.ContentCaused != wanted.ContentCaused || got.RetryAfter != wanted.RetryAfter {
					t.Errorf("error %+v, want %+v", got, wanted)
				}
				return
			}
			if err != nil || v.Action != want.action {
				t.Fatalf("verdict %+v, error %v; want %v", v, err, want.action)
			}
			if want.rule == "" {
				return
			}
			for _, f := range v.Findings {
				if f.Rule == want.rule && f.Location.Pointer == want.pointer {
					return
				}
			}
			t.Errorf("findings %+v, want %s at %q", v.Findings, want.rule, want.pointer)
		})
	}
}

// exampleContent is the content that would have led to the example's request.
func exampleContent(t *testing.T, e example) scanner.Content {
	t.Helper()
	var req struct {
		Contents []struct {
			ToolEvent struct {
				Metadata struct {
					Method string `json:"method"`
				} `json:"metadata"`
				Output string `json:"output"`
			} `json:"tool_event"`
		} `json:"contents"`
	}
	if e.Request != nil {
		if err := json.Unmarshal(e.Request, &req); err != nil {
			t.Fatal(err)
		}
	}
	if len(req.Contents) == 1 && req.Contents[0].ToolEvent.Output != "" {
		event := req.Contents[0].ToolEvent
		if event.Metadata.Method == "tools/list" {
			return catalogue(event.Output)
		}
		return call(scanner.PhaseResponse, event.Output)
	}
	return call(scanner.PhaseResponse, `{"content":[{"type":"text","text":"x"}]}`)
}

// TestEmulatorGivesExamples sends the examples' requests to the emulator and
// compares what decides: status, action, category and the flags raised.
func TestEmulatorGivesExamples(t *testing.T) {
	srv := airstest.New(t, airstest.Config{Profiles: []airstest.Profile{{Name: "mcp-relay", MaskInline: true}}})
	for name, e := range examples(t) {
		if e.Request == nil || strings.HasPrefix(name, "6") || strings.HasPrefix(name, "7") { // these need profiles of their own
			continue
		}
		t.Run(name, func(t *testing.T) {
			status, answer := exchange(t, srv, http.MethodPost, "/v1/scan/sync/request", string(e.Request), nil)
			if status != e.Status {
				t.Fatalf("status %d, want %d: %s", status, e.Status, answer)
			}
			got, want := raisedIn(t, answer), raisedIn(t, e.Response)
			if got != want {
				t.Errorf("answer\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// raisedIn renders the parts of an answer that decide, in a fixed order.
func raisedIn(t *testing.T, raw []byte) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(path+"/"+name, v[name])
			}
		case []any:
			for _, e := range v {
				walk(path+"/-", e)
			}
		case bool:
			if v {
				b.WriteString(path + "\n")
			}
		case string:
			if strings.HasSuffix(path, "/action") || strings.HasSuffix(path, "/category") || strings.HasSuffix(path, "/message") || strings.HasSuffix(path, "masked_data/data") {
				b.WriteString(path + " " + v + "\n")
			}
		}
	}
	walk("", v)
	return b.String()
}
