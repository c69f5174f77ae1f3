//go:build unix

package plugin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/verdict"
)

func TestStartFailures(t *testing.T) {
	for _, test := range []struct {
		how  string
		want any
	}{
		{"prints first", new(*HandshakeError)},
		{"prints without end", new(*HandshakeError)},
		{"closes stdout", new(*HandshakeError)},
		{"dies at start", new(*process.ExitError)},
		{"other version", new(*ErrProtocol)},
		{"tcp", new(*AddressError)},
		{"abstract", new(*AddressError)},
		{"elsewhere", new(*AddressError)},
		{"foreign socket", new(*AddressError)},
		{"symlink", new(*AddressError)},
		{"file", new(*AddressError)},
	} {
		t.Run(test.how, func(t *testing.T) {
			t.Parallel()
			_, err := Describe(t.Context(), bad(t, test.how), nil, quiet())
			var start *StartError
			if !errors.As(err, &start) || !errors.As(err, test.want) {
				t.Fatalf("got %v, want a StartError with a %T", err, test.want)
			}
			if p, ok := test.want.(**ErrProtocol); ok && ((*p).Have != 7 || (*p).Want != 1) {
				t.Errorf("got %+v", *p)
			}
			if strings.ContainsRune(err.Error(), 0x1b) {
				t.Errorf("the error obeys the scanner: %q", err)
			}
			if test.how == "dies at start" && !strings.Contains(start.Stderr, "cannot open the") {
				t.Errorf("stderr is missing: %q", start.Stderr)
			}
		})
	}
}

func TestStartTakesNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Describe(ctx, bad(t, "never handshakes"), nil, quiet())
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline error", err)
	}
}

func TestGivenUpAfterTheBudget(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "dies at start"), quiet())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Ready(ctx); !errors.As(err, new(*StartError)) {
		t.Errorf("Ready = %v, want the StartError", err)
	}
	if s.State() != Failed {
		t.Errorf("state is %s", s.State())
	}
	_, err := s.Scan(t.Context(), text("a", "x"))
	wantFailure(t, err, ReasonUnavailable, verdict.CauseOutage)
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	info, err := Describe(t.Context(), bad(t, "content"), nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if info.Name != "bad" || info.Version != "1.0.0" || !info.Configurable || len(info.Kinds) != 2 || info.Phases != nil {
		t.Errorf("got %+v", info)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.SHA256 = strings.Repeat("ab", 32)
	stale := filepath.Join(spec.RunDir, runPrefix+"stale") // of a relay that was killed
	if err := os.Mkdir(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	s := begin(t, spec, quiet())
	var digest *DigestError
	if err := s.Ready(t.Context()); !errors.As(err, &digest) {
		t.Fatalf("Ready = %v, want a DigestError", err)
	}
	spec.SHA256 = strings.ToUpper(digest.Have)
	s = begin(t, spec, quiet())
	ready(t, s)
	if s.Digest() != digest.Have || s.Info().Name != "bad" {
		t.Errorf("Digest %s, want %s; Info %+v", s.Digest(), digest.Have, s.Info())
	}
}

func TestBundled(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, executable := range []string{"", exe} {
		s := begin(t, Spec{Name: "b", Bundled: "content", Executable: executable, RunDir: shortDir(t)}, quiet())
		ready(t, s)
		ask(t, s, "x")
		if want, _ := digestOf(exe); s.Digest() != want {
			t.Errorf("Digest %s, want %s", s.Digest(), want)
		}
	}
}

func TestSpecIsChecked(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]Spec{
		"no name":    {Path: "/x"},
		"no program": {Name: "a"},
		"both":       {Name: "a", Path: "/x", Bundled: "b"},
		"relative":   {Name: "a", Path: "x"},
		"digest":     {Name: "a", Path: "/x", SHA256: "abc"},
		"limit":      {Name: "a", Path: "/x", MaxConcurrent: -1},
		"config":     {Name: "a", Path: "/x", Config: make([]byte, 1<<20+1)},
	} {
		if _, err := Start(t.Context(), spec, nil, quiet()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
