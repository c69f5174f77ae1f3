//go:build unix

package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/process"
	"github.com/mcp-relay/relay/internal/verdict"
)

// bad returns a spec of a scanner that misbehaves in this way.
func bad(t testing.TB, how string, args ...string) Spec {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{
		Name: "test", Path: exe, Args: append([]string{modeBad, how}, args...), Timeout: 20 * time.Second, RunDir: shortDir(t),
	}
}

// shortDir returns a directory whose path leaves room for a socket's name.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "p") //nolint:usetesting // its names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, _ := filepath.Glob(filepath.Join(dir, runPrefix+"*"))
		if len(left) > 0 {
			t.Errorf("run directories are left: %q", left)
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// begin starts a scanner and stops it with the test.
func begin(t testing.TB, spec Spec, log *slog.Logger) *Supervisor {
	t.Helper()
	s, err := Start(t.Context(), spec, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 5*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
		if s.State() != Stopped {
			t.Errorf("state is %s after Stop", s.State())
		}
	})
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func ready(t testing.TB, s *Supervisor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}

func text(server, data string) verdict.Content {
	return verdict.Content{Phase: verdict.Response, Kind: verdict.Text, Data: []byte(data), Origin: verdict.Origin{Server: server}}
}

// ask has a command carried out and returns the reference in the answer.
func ask(t testing.TB, s *Supervisor, command string) string {
	t.Helper()
	v, err := s.Scan(t.Context(), text("other", command))
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return v.Reference
}

func wantFailure(t testing.TB, err error, reason string, cause verdict.Cause) {
	t.Helper()
	f, ok := errors.AsType[*verdict.Failure](err)
	if !ok {
		t.Errorf("got error %v, want failure %s", err, reason)
	} else if f.Reason != reason || f.Cause != cause {
		t.Errorf("got failure %s by %s (%v), want %s by %s", f.Reason, f.Cause, f.Err, reason, cause)
	}
}

func alive(pid int) bool {
	raw, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	state := strings.TrimSpace(string(raw))
	return err == nil && state != "" && state[0] != 'Z'
}

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
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
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

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	for _, test := range []struct {
		command, reason string
		cause           verdict.Cause
	}{
		{"wrong-id", ReasonInvalidVerdict, verdict.CauseContent},
		{"no-verdict", ReasonInvalidVerdict, verdict.CauseContent},
		{"unknown-action", ReasonInvalidVerdict, verdict.CauseContent},
		{"no-action", ReasonInvalidVerdict, verdict.CauseContent},
		{"edit-outside", ReasonInvalidVerdict, verdict.CauseContent},
		{"oversize", ReasonOversize, verdict.CauseContent},
		{"error 1", "rate_limited", verdict.CauseOutage},
		{"error 2", "unavailable", verdict.CauseOutage},
		{"error 3", "unauthenticated", verdict.CauseOutage},
		{"error 4", "not_configured", verdict.CauseOutage},
		{"error 5", "unsupported", verdict.CauseContent},
		{"error 6", "too_large", verdict.CauseContent},
		{"error 7", "timeout", verdict.CauseContent},
		{"error 8", "internal", verdict.CauseOutage},
		{"error 99", "internal", verdict.CauseOutage},
		{"status 2", "internal", verdict.CauseContent},
		{"status 13", "internal", verdict.CauseContent},
		{"status 14", "unavailable", verdict.CauseOutage},
		{"status 16", "unavailable", verdict.CauseOutage},
	} {
		v, err := s.Scan(t.Context(), text(test.command, test.command)) // a breaker for each
		wantFailure(t, err, test.reason, test.cause)
		if v.Action != verdict.ActionUnspecified {
			t.Errorf("%s: a failure came with action %s", test.command, v.Action)
		}
		if err != nil && (strings.Contains(err.Error(), "foreign") || strings.ContainsRune(err.Error(), 0x1b)) {
			t.Errorf("%s: the error quotes the scanner: %q", test.command, err)
		}
	}
	if got := ask(t, s, "deadline"); got != "true" {
		t.Error("the deadline does not travel")
	}
	if got := ask(t, s, "streams"); got != stdioMethod { // and no broker
		t.Errorf("the relay opened streams: %q", got)
	}
	if got := ask(t, s, "env HOME"); got != os.Getenv("HOME") {
		t.Errorf("HOME is %q", got)
	}
	c := text("a", "request")
	c.Request = bytes.Repeat([]byte("x"), 3<<20)
	if v, err := s.Scan(t.Context(), c); err != nil || v.Reference != "1048576 true" {
		t.Errorf("request: %q, %v", v.Reference, err)
	}
	c = text("a", "")
	c.Data = make([]byte, 8<<20+1)
	_, err := s.Scan(t.Context(), c)
	wantFailure(t, err, ReasonOversize, verdict.CauseContent)
	c.Data = c.Data[1:]
	if _, err := s.Scan(t.Context(), c); err != nil {
		t.Errorf("8 MiB: %v", err)
	}
	c.Kind = verdict.Blob
	_, err = s.Scan(t.Context(), c)
	wantFailure(t, err, ReasonUnsupported, verdict.CauseContent)
}

func TestReplacementTextNeedsPermission(t *testing.T) {
	t.Parallel()
	for _, may := range []bool{false, true} {
		spec := bad(t, "content")
		spec.MayRewrite = may
		s := begin(t, spec, quiet())
		v, err := s.Scan(t.Context(), text("a", "rewrite"))
		if err != nil {
			t.Fatal(err)
		}
		if e := v.Findings[0].Edit; e == nil || e.HasText != may || (e.Text != "") != may {
			t.Errorf("may rewrite %v: edit %+v", may, e)
		}
	}
}

func TestEnvironmentOfTheRelayStaysThere(t *testing.T) {
	t.Setenv("CANARY_API_KEY", "canary")
	spec := bad(t, "content")
	spec.Env = []string{"GIVEN=yes"}
	s := begin(t, spec, quiet())
	if got := ask(t, s, "env CANARY_API_KEY"); got != "" {
		t.Errorf("the scanner sees the relay's environment: %q", got)
	}
	if got := ask(t, s, "env GIVEN"); got != "yes" {
		t.Errorf("GIVEN is %q", got)
	}
}

func TestTimeoutAndCancellation(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := s.Scan(ctx, text("a", "hang"))
	wantFailure(t, err, ReasonTimeout, verdict.CauseContent)

	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = s.Scan(ctx, text("a", "hang"))
	wantFailure(t, err, ReasonCancelled, verdict.CauseContent)
	if _, err := s.Scan(t.Context(), text("a", "x")); err != nil {
		t.Errorf("the scanner is lost to others: %v", err)
	}
}

func TestStoppedProcessIsReplaced(t *testing.T) {
	t.Parallel()
	s := begin(t, bad(t, "content"), quiet())
	ready(t, s)
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := s.Scan(ctx, text("a", "stop"))
	wantFailure(t, err, ReasonTimeout, verdict.CauseContent)
	for deadline := time.Now().Add(15 * time.Second); alive(pid); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stopped process is still there")
		}
	}
	if next := ask(t, s, "pid"); next == strconv.Itoa(pid) {
		t.Error("no new process")
	}
}

func TestStderrHarmsNobody(t *testing.T) {
	t.Parallel()
	var out lockedBuffer
	s := begin(t, bad(t, "content"), slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ready(t, s)
	ask(t, s, "message1")
	ask(t, s, "flood")
	ask(t, s, "chatter")
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(out.String(), "lines were dropped"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing was dropped")
		}
	}
	got := out.String()
	if strings.ContainsRune(got, 0x1b) || strings.Contains(got, "\x9b") || strings.Contains(got, `\u001b`) {
		t.Error("control characters reach the log")
	}
	if len(got) > 1<<20 {
		t.Errorf("the log grew by %d bytes", len(got))
	}
	for _, want := range []string{`{\"@message\":1,`, `"level":"WARN","msg":"scanner says","scanner":"test","text":"fine\\x1b[31m","fields":"{\"extra\":\"x\"}"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in the log", want)
		}
	}
}

func TestReconfigure(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Config = json.RawMessage(`{"Label":"one"}`)
	s := begin(t, spec, quiet())
	ready(t, s)
	slow := make(chan error, 1)
	go func() {
		v, err := s.Scan(t.Context(), text("a", "sleep 500ms"))
		if err == nil && v.Reference != "one" {
			err = fmt.Errorf("judged by %q", v.Reference)
		}
		slow <- err
	}()
	time.Sleep(50 * time.Millisecond)
	var config *ConfigError
	err := s.Reconfigure(t.Context(), json.RawMessage(`{"Refuse":true,"Label":"two"}`))
	if !errors.As(err, &config) || len(config.Problems) != 1 || config.Problems[0].Pointer != "/refuse" {
		t.Errorf("a bad configuration: %v", err)
	}
	if err := s.Reconfigure(t.Context(), json.RawMessage(`{"Crash":true}`)); err == nil {
		t.Error("a configuration that crashes was accepted")
	}
	if got := ask(t, s, "x"); got != "one" {
		t.Errorf("after bad configurations: %q", got)
	}
	if err := s.Reconfigure(t.Context(), json.RawMessage(`{"Label":"three"}`)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ask(t, s, "x") != "three"; {
		if time.Now().After(deadline) {
			t.Fatal("the new configuration is not in force")
		}
	}
	if err := <-slow; err != nil {
		t.Errorf("a scan in flight was lost: %v", err)
	}
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for s.status.Load().state == Ready && s.status.Load().generation.proc.PID() == pid {
		time.Sleep(time.Millisecond)
	}
	if got := ask(t, s, "x"); got != "three" {
		t.Errorf("after a restart: %q", got)
	}
}

func TestReconfigureRevivesWhatWasGivenUp(t *testing.T) {
	t.Parallel()
	spec := bad(t, "content")
	spec.Config = json.RawMessage(`{"Refuse":true}`)
	s := begin(t, spec, quiet())
	if err := s.Ready(t.Context()); !errors.As(err, new(*ConfigError)) {
		t.Fatalf("Ready = %v, want a ConfigError at once", err)
	}
	if s.State() != Failed {
		t.Errorf("state is %s", s.State())
	}
	if err := s.Reconfigure(t.Context(), json.RawMessage(`{}`)); err != nil {
		t.Fatal(err)
	}
	ready(t, s)
	ask(t, s, "x")
}

func TestStopDrains(t *testing.T) {
	t.Parallel()
	s, err := Start(t.Context(), bad(t, "content"), nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ready(t, s)
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	slow := make(chan error, 1)
	go func() {
		_, err := s.Scan(t.Context(), text("a", "sleep 300ms"))
		slow <- err
	}()
	time.Sleep(50 * time.Millisecond)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-slow; err != nil {
		t.Errorf("a scan in flight was lost: %v", err)
	}
	_, err = s.Scan(t.Context(), text("a", "x"))
	wantFailure(t, err, ReasonUnavailable, verdict.CauseOutage)
	if err := s.Ready(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("Ready = %v", err)
	}
	if err := s.Reconfigure(t.Context(), nil); !errors.Is(err, ErrStopped) && !errors.Is(err, context.Canceled) {
		t.Errorf("Reconfigure = %v", err)
	}
	if alive(pid) {
		t.Error("the process is alive")
	}
}

func TestStopEndsWhatDoesNotWantTo(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "pid")
	for _, spec := range []Spec{bad(t, "ignores its end"), bad(t, "leaves a child", mark)} {
		s, err := Start(t.Context(), spec, nil, quiet())
		if err != nil {
			t.Fatal(err)
		}
		ready(t, s)
		pid, _ := strconv.Atoi(ask(t, s, "pid"))
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if alive(pid) {
			t.Errorf("%q: the process is alive", spec.Args)
		}
	}
	raw, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	if pid, _ := strconv.Atoi(string(raw)); pid == 0 || alive(pid) {
		t.Errorf("the scanner's child %s is alive", raw)
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

func TestNothingIsLeftOfManyStarts(t *testing.T) {
	spec := bad(t, "content")
	cycle := func() {
		s, err := Start(t.Context(), spec, nil, quiet())
		if err != nil {
			t.Fatal(err)
		}
		ready(t, s)
		ask(t, s, "x")
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	before, files := runtime.NumGoroutine(), descriptors(t)
	for range 4 {
		cycle()
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before || descriptors(t) > files; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines and %d descriptors, %d and %d before", runtime.NumGoroutine(), descriptors(t), before, files)
		}
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if entries, err := os.ReadDir(dir); err == nil {
			return len(entries)
		}
	}
	return 0
}

func TestDiesWithTheRelay(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w, err := process.StartWarden(exe, []string{modeWarden})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), bad(t, "ignores its end"), w, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ready(t, s)
	pid, _ := strconv.Atoi(ask(t, s, "pid"))
	if err := w.Close(); err != nil { // as the end of the relay does
		t.Error(err)
	}
	if alive(pid) {
		t.Error("the scanner outlived the relay")
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
