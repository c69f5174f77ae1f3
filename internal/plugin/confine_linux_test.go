package plugin

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/sandbox"
	"github.com/mcp-relay/relay/internal/verdict"
)

// escapes returns what a scanner tries from inside, and how to have it tried.
func escapes(t *testing.T) []string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	abstract, err := net.Listen("unix", "@relay-plugin-"+strconv.Itoa(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(); _ = abstract.Close() })
	canary := filepath.Join(t.TempDir(), "canary")
	if err := os.WriteFile(canary, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	me := strconv.Itoa(os.Getpid())
	return []string{
		"try dial:tcp:" + l.Addr().String(), "try dial:udp:" + l.Addr().String(), "try dial:unix:" + abstract.Addr().String(),
		"try read:" + canary, "try write:" + canary, "try write:" + filepath.Join(os.TempDir(), "escaped-"+me),
		"try read:/proc/" + me + "/cmdline", "try read:/proc/" + me + "/environ", "try write:/proc/" + me + "/mem", "try signal:" + me,
		"try child:cat:" + canary,
	}
}

func needsSandbox(t *testing.T) {
	t.Helper()
	if c, err := (sandbox.Closed{Scratch: t.TempDir()}).Prepare(); err != nil || len(c.Gaps()) > 0 {
		t.Skip("this kernel cannot enforce everything")
	}
}

// A confined scanner reaches nothing, and judges.
func TestConfined(t *testing.T) {
	t.Parallel()
	needsSandbox(t)
	for name, change := range map[string]func(*Spec){
		"always":         func(s *Spec) { s.Sandbox = SandboxAlways },
		"known":          func(s *Spec) { s.Needs = &Needs{} },
		"says so itself": func(s *Spec) { s.Env = append(s.Env, "BAD_SELF_CONTAINED=1") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := bad(t, "content")
			change(&spec)
			s := begin(t, spec, quiet())
			ready(t, s)
			if got := s.Info().Sandbox; got != "confined" {
				t.Errorf("sandbox is %q", got)
			}
			for _, what := range escapes(t) {
				if got := ask(t, s, what); got == "" {
					t.Errorf("%s worked", what)
				}
			}
			if got := ask(t, s, "env TMPDIR"); !strings.HasPrefix(got, spec.RunDir) {
				t.Errorf("its directory for temporary files is %q", got)
			}
			if v, err := s.Scan(t.Context(), text("a", "allow this")); err != nil || v.Action != verdict.Allow {
				t.Errorf("it does not judge: %v, %v", v, err)
			}
		})
	}
}

// Without a sandbox the attempts work: the test can fail.
func TestUnconfined(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Sandbox = SandboxNever
	spec.Env = append(spec.Env, "BAD_SELF_CONTAINED=1")
	s := begin(t, spec, quiet())
	ready(t, s)
	if got := s.Info().Sandbox; got != unconfined {
		t.Errorf("sandbox is %q", got)
	}
	for _, what := range escapes(t) {
		if strings.Contains(what, "/proc/") && os.Getuid() != 0 {
			continue
		}
		if got := ask(t, s, what); got != "" {
			t.Errorf("%s: %s", what, got)
		}
	}
}

// What its author says counts for that program only, and a restart knows it.
func TestRestartStaysConfined(t *testing.T) {
	t.Parallel()
	needsSandbox(t)
	spec := bad(t, "content")
	spec.Env = append(spec.Env, "BAD_SELF_CONTAINED=1")
	s := begin(t, spec, quiet())
	ready(t, s)
	if err := s.Reconfigure(t.Context(), []byte(`{"Label":"two"}`)); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, s, "try read:/etc/passwd"); got == "" || s.Info().Sandbox != "confined" {
		t.Error("the next process is not confined")
	}
	p, err := openProgram(&spec)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if spec.needs(&s.said, p) == nil {
		t.Error("it would be started without a sandbox again")
	}
	if spec.needs(&vouched{digests: []string{"other"}}, p) != nil {
		t.Error("the word of another program counts")
	}
}

// What belongs to a program is looked at before each start.
func TestVerify(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	damaged := errors.New("rules.txt was changed")
	spec.Verify = func() error { return damaged }
	s := begin(t, spec, quiet())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Ready(ctx); !errors.Is(err, damaged) || s.State() != Failed {
		t.Errorf("%v, %s", err, s.State())
	}
}

// Always means that files and network are confined, or nothing starts.
func TestWhatAlwaysTakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gaps    []sandbox.Gap
		network bool
		want    bool
	}{
		{nil, false, false},
		{[]sandbox.Gap{sandbox.GapSignals, sandbox.GapAbstract, sandbox.GapTruncated}, false, false},
		{[]sandbox.Gap{sandbox.GapFiles}, false, true},
		{[]sandbox.Gap{sandbox.GapFiles}, true, true},
		{[]sandbox.Gap{sandbox.GapNetwork}, false, true},
		{[]sandbox.Gap{sandbox.GapNetwork}, true, false},
	} {
		if got := lacking(c.gaps, c.network); got != c.want {
			t.Errorf("%q, network %v: %v", c.gaps, c.network, got)
		}
	}
	if err := error(&StartError{Err: &SandboxError{Err: sandbox.ErrUnavailable}}); !permanent(err) {
		t.Error("what this system cannot do is tried again")
	}
}
