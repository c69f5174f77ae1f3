//go:build unix

package plugin

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// bad returns a spec of a scanner that misbehaves in this way.
func bad(t testing.TB, how string, args ...string) Spec {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{
		Name: "test", Path: exe, Args: append([]string{modeBad, how}, args...), Timeout: patience, RunDir: shortDir(t),
		Env: []string{"GORACE=atexit_sleep_ms=0"}, // the race detector makes an exit take a second
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
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
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
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatal(err)
	}
}

// until waits for what must happen.
func until(t testing.TB, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen that %s", what)
		}
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

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
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
