package scanner

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

type described struct{ info Info }

func (d described) Describe() Info { return d.info }

func (described) Scan(context.Context, Content) (Verdict, error) { return Allow(), nil }

func TestInfo(t *testing.T) {
	long := strings.Repeat("a", handshake.MaxName)
	for name, test := range map[string]struct {
		info Info
		ok   bool
	}{
		"nothing":           {Info{}, true},
		"longest":           {Info{Name: long, Version: long}, true},
		"signs":             {Info{Name: "0a.b_c-d"}, true},
		"long name":         {Info{Name: long + "a"}, false},
		"long version":      {Info{Version: long + "a"}, false},
		"upper case":        {Info{Name: "Acme"}, false},
		"path":              {Info{Name: "a/b"}, false},
		"parent":            {Info{Name: "a..b"}, false},
		"leading sign":      {Info{Name: "-a"}, false},
		"negative":          {Info{MaxConcurrent: -1}, false},
		"useless schema":    {Info{ConfigSchema: []byte(`{}`)}, false},
		"schema in letters": {Info{ConfigSchema: []byte(`x`)}, false},
	} {
		if _, err := NewServer(described{test.info}, slog.New(slog.DiscardHandler)); (err == nil) != test.ok {
			t.Errorf("%s: got %v, want ok %v", name, err, test.ok)
		}
	}
}

func TestProgramName(t *testing.T) {
	defer func(args []string) { os.Args = args }(os.Args)
	for path, want := range map[string]string{
		"/opt/acme/relay-scanner": "relay-scanner", "Acme Scanner.exe": "acme-scanner", "__debug_bin123": "debug_bin123",
		"a...b": "a--.b", "": "scanner", "/": "scanner", "ÜÜ": "scanner", strings.Repeat("a", 100): strings.Repeat("a", 64),
	} {
		os.Args = []string{path}
		if got := programName(); got != want || !validName(got) {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

// TestNumbers holds the numbers of both sides together where code converts by
// number.
func TestNumbers(t *testing.T) {
	same := func(kind, wire, ours string) {
		t.Helper()
		if want := strings.ToUpper(kind + "_" + ours); wire != want {
			t.Errorf("%s is %s here", wire, want)
		}
	}
	for n, name := range scannerv1.Phase_name {
		same("phase", name, Phase(n).String())
	}
	for n, name := range scannerv1.Kind_name {
		same("kind", name, Kind(n).String())
	}
	for n, name := range scannerv1.Severity_name {
		same("severity", name, Severity(n).String())
	}
	for n, name := range scannerv1.Reason_name {
		if n == 0 {
			continue // is called internal here
		}
		same("reason", name, Reason(n).String())
		if got := reasonTo(Reason(n)); got != scannerv1.Reason(n) {
			t.Errorf("reason %d is sent as %d", n, got)
		}
	}
	for _, a := range []Action{ActionUnspecified, ActionAllow, ActionFlag, ActionRedact, ActionBlock} {
		same("action", actionTo(a).String(), a.String())
	}
}
