//go:build unix

package front

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnixSocket(t *testing.T) {
	p := serveHTTP(t, nil)
	path := filepath.Join(t.TempDir(), "relay.sock")
	l, err := ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	done := make(chan error)
	go func() { done <- p.server.Serve(l) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	body, headers := modernCall("1", "echo")
	p.client.Transport = transport
	p.url = "http://whatever"
	if a := p.do("POST", "/mcp", body, headers...); a.status != 200 {
		t.Errorf("%+v", a)
	}
	if g := p.desk.connected(); g.hello.Principal != "local" {
		t.Errorf("%+v", g.hello)
	}
	if a := p.do("POST", "/mcp", body, append(headers, "Sec-Fetch-Site", "cross-site")...); a.status != 403 {
		t.Errorf("%+v", a)
	}
	if _, err := ListenUnix(t.Context(), path); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a socket that is in use was taken: %v", err)
	}
	if err := p.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left over: %v", err)
	}
}

func TestUnixSocketPlaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	// One that is left over from a program that was killed.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	_ = stale.Close()
	l, err := ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatalf("a socket that is left over stays in the way: %v", err)
	}
	_ = l.Close()

	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), path); err == nil {
		t.Error("a file was replaced")
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(t.Context(), link); err == nil {
		t.Error("a link was replaced")
	}
	if _, err := ListenUnix(t.Context(), filepath.Join(dir, "no", "s")); err == nil {
		t.Error("a directory that is not there was taken")
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o777, 0o770, 0o722, 0o1777} {
		if err := os.Chmod(open, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ListenUnix(t.Context(), filepath.Join(open, "s")); err == nil {
			t.Errorf("a directory with mode %o was taken", mode)
		}
	}
}
