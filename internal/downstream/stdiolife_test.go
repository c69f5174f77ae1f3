package downstream

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/process"
)

func TestStdioExitDuringCalls(t *testing.T) {
	i := dial(t, spec("serve"), &notes{})
	_, first := ask(t, i, request("silence", ""))
	_, second := ask(t, i, request("exit", ""))
	for _, replies := range []<-chan peer.Reply{first, second} {
		if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) {
			t.Errorf("got %+v", r)
		}
		select {
		case <-i.Done():
		default:
			t.Error("a call ended before the connection did")
		}
		if kept := i.Stderr(); !strings.HasSuffix(kept, "\nno licence") {
			t.Errorf("stderr ends with …%q", kept[max(0, len(kept)-20):])
		}
	}
	var exit *process.ExitError
	if err := i.Err(); !errors.Is(err, peer.ErrGone) || !errors.As(err, &exit) || exit.Code != 7 {
		t.Errorf("the connection ended with %v", err)
	}
	if got := result(t, i, request("echo", "[]")); got != "failed: "+peer.ErrGone.Error() {
		t.Errorf("afterwards: %s", got)
	}
	if err := i.Notify(request("notifications/x", "")); !errors.Is(err, peer.ErrGone) {
		t.Errorf("afterwards a notification got %v", err)
	}
}

func TestStdioDeafChild(t *testing.T) {
	t.Parallel()
	s := spec("deaf")
	s.Stall = 3 * time.Second // in which the calls are made
	i := dial(t, s, &notes{})
	params := `"` + strings.Repeat("x", 1<<20) + `"`
	var all []<-chan peer.Reply
	for range 2 * pendingLimit >> 20 { // Call never waits for the child
		_, replies := ask(t, i, request("echo", "["+params+"]"))
		all = append(all, replies)
	}
	busy := 0
	for _, replies := range all {
		r := await(t, replies)
		if errors.Is(r.Err, peer.ErrBusy) {
			busy++
		} else if !errors.Is(r.Err, peer.ErrGone) {
			t.Errorf("got %+v", r)
		}
	}
	if busy == 0 || busy == len(all) {
		t.Errorf("%d of %d calls were refused as too many", busy, len(all))
	}
	awaitDone(t, i)
	if err := i.Err(); !errors.Is(err, errStalled) {
		t.Errorf("the connection ended with %v", err)
	}
}

func TestStdioMuteChild(t *testing.T) {
	i := dial(t, spec("mute"), &notes{})
	if got := result(t, i, request("echo", "")); got != "failed: "+peer.ErrGone.Error() {
		t.Errorf("got %s", got)
	}
	awaitDone(t, i)
}

func TestStdioStderr(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	s := spec("noisy")
	s.Log = slog.New(slog.NewJSONHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	i := dial(t, s, &notes{})
	if got := result(t, i, request("echo", "[]")); got != "[]" {
		t.Errorf("got %s", got)
	}
	i.Close(patience)
	kept := i.Stderr()
	if !strings.HasSuffix(kept, `the last words \u009b`) || strings.ContainsAny(kept, "\x1b\r\u202e\u009b") || len(kept) > 2*tailSize {
		t.Errorf("kept %d bytes: …%q", len(kept), kept[max(0, len(kept)-200):])
	}
	mu.Lock()
	defer mu.Unlock()
	if n := strings.Count(log.String(), "server wrote to stderr"); n == 0 || n > 4*linesAtOnce {
		t.Errorf("%d lines were logged", n)
	}
	if strings.ContainsAny(log.String(), "\x1b\u202e\u009b") {
		t.Error("the log holds control characters")
	}
	for line := range strings.Lines(log.String()) {
		if len(line) > 2*lineLimit {
			t.Errorf("a line of %d bytes was logged", len(line))
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestStdioClose(t *testing.T) {
	i := dial(t, spec("serve"), &notes{})
	_, replies := ask(t, i, request("silence", ""))
	i.Close(time.Second)
	i.Close(time.Second)
	if r := await(t, replies); !errors.Is(r.Err, peer.ErrGone) {
		t.Errorf("got %+v", r)
	}
	awaitDone(t, i)
	if err := i.Err(); !errors.Is(err, ErrClosed) {
		t.Errorf("the connection ended with %v", err)
	}
}

func TestStdioCannotStart(t *testing.T) {
	dir := t.TempDir()
	plain := dir + "/plain"
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, command, hint string
		env                 []string
	}{
		{"not in PATH", "npx", "install Node.js", []string{"PATH=" + dir}},
		{"unknown name", "my-server", "full path", []string{"PATH=" + dir}},
		{"current directory", "downstream.test", "PATH", []string{"PATH=.::" + dir}},
		{"no such file", dir + "/none", "check command", nil},
		{"not executable", plain, "permissions", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && tt.name == "not executable" {
				t.Skip("no execute permission")
			}
			i, err := Stdio{Name: "files", Command: tt.command, Env: tt.env, MaxMessage: 1, Log: quiet()}.Dial(t.Context(), &notes{})
			if err == nil {
				i.Close(0)
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), `server "files"`) || !strings.Contains(err.Error(), tt.hint) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestStdioEnvironment(t *testing.T) {
	t.Setenv("RELAY_TEST_SECRET", "canary")
	i := dial(t, spec("serve"), &notes{})
	if got := result(t, i, request("environment", "")); strings.Contains(got, "canary") || !strings.Contains(got, childVariable) {
		t.Errorf("the child's environment is %s", got)
	}
}
