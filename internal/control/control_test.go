//go:build unix

package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake is a relay that remembers what it was asked.
type fake struct{ digests chan string }

func (*fake) Status() Status { return Status{PID: 7, Config: "/c"} }

func (*fake) Pending(context.Context) (Pending, error) {
	return Pending{Digest: "d", Changes: []Change{{"a.b", "weakens"}}}, nil
}

func (f *fake) Reload(_ context.Context, digest string) (Pending, error) {
	f.digests <- digest
	if digest != "d" {
		return Pending{}, errors.New("another file")
	}
	return Pending{Digest: "d"}, nil
}

// serve runs a server in a directory of its own.
func serve(t *testing.T, change func(*Server)) (*Server, *fake) {
	t.Helper()
	s, err := Listen(filepath.Join(t.TempDir(), "r"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	f := &fake{digests: make(chan string, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Serve(t.Context(), f)
	}()
	t.Cleanup(func() {
		<-ended
		if _, err := os.Lstat(s.path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket stays: %v", err)
		}
	})
	return s, f
}

func TestAsk(t *testing.T) {
	s, f := serve(t, nil)
	if got := Sockets(filepath.Dir(s.path)); len(got) != 1 || got[0] != s.path {
		t.Errorf("found %q", got)
	}
	for path, mode := range map[string]os.FileMode{s.path: 0o600, filepath.Dir(s.path): 0o700} {
		info, err := os.Lstat(path)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	ask := func(r Request) Response {
		t.Helper()
		answer, err := Ask(t.Context(), s.path, r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if got := ask(Request{Op: OpStatus}); got.Status == nil || got.Status.PID != 7 || got.Status.Config != "/c" {
		t.Errorf("%+v", got)
	}
	if got := ask(Request{Op: OpPending}); got.Pending == nil || got.Pending.Digest != "d" || len(got.Pending.Changes) != 1 {
		t.Errorf("%+v", got)
	}
	if got := ask(Request{Op: OpReload, Digest: "d"}); got.Pending == nil || got.Error != "" || <-f.digests != "d" {
		t.Errorf("%+v", got)
	}
	if got := ask(Request{Op: OpReload, Digest: "e"}); got.Error != "another file" {
		t.Errorf("%+v", got)
	}
	if got := ask(Request{Op: "run"}); got.Error != errRequest.Error() {
		t.Errorf("%+v", got)
	}
}

// raw sends bytes and returns what comes back until the end.
func raw(t *testing.T, s *Server, text string) string {
	t.Helper()
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	_, _ = conn.Write([]byte(text)) // it may be refused before all is written
	var got strings.Builder
	buffer := make([]byte, 1024)
	for {
		n, err := conn.Read(buffer)
		got.Write(buffer[:n])
		if err != nil {
			return got.String()
		}
	}
}

func TestStrangeClients(t *testing.T) {
	s, _ := serve(t, func(s *Server) { s.patience = 50 * time.Millisecond })
	for _, text := range []string{"", "{", strings.Repeat("x", maxRequest+1) + "\n"} {
		if got := raw(t, s, text); got != "" {
			t.Errorf("%.10q is answered %q", text, got)
		}
	}
	if got := raw(t, s, "GET / HTTP/1.1\r\n"); !strings.Contains(got, "not a request") {
		t.Errorf("got %q", got)
	}
}

func TestAnotherUser(t *testing.T) {
	s, f := serve(t, func(s *Server) { s.trusted = func(*net.UnixConn) bool { return false } })
	if _, err := Ask(t.Context(), s.path, Request{Op: OpReload, Digest: "d"}); err == nil {
		t.Error("another user is answered")
	}
	if len(f.digests) != 0 {
		t.Error("another user reloads")
	}
}

func TestDirectoryOfOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if s, err := Listen(dir, slog.New(slog.DiscardHandler)); err == nil {
		_ = s.listener.Close()
		t.Error("a directory that others can write to is used")
	}
}

func TestServeEndsWithContext(t *testing.T) {
	s, err := Listen(filepath.Join(t.TempDir(), "r"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Serve(ctx, &fake{})
	}()
	cancel()
	<-ended
}

func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{`{"op":"status"}`, `{"op":"reload","digest":"d"}`, `{"op":"run"}`, `{}{}`, `[]`, ``, `{"op":"status","x":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parseRequest(line)
		if (err == nil) != (r.Op == OpStatus || r.Op == OpPending || r.Op == OpReload) {
			t.Errorf("%q: %+v, %v", line, r, err)
		}
	})
}
