package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The test program is the floor relay, its scanner and the server behind it.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("FLOOR_TEST") == "":
		os.Exit(m.Run())
	case len(os.Args) > 1 && os.Args[1] == "echo":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	default:
		main()
	}
}

func TestLinesPass(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sent := []string{`{"id":1}`, `{"id":2,"method":"tools/call","params":{"name":"x"}}`, strings.Repeat("long", 200_000)}
	for _, scan := range []string{"none", "grpc"} {
		cmd := exec.Command(self, "-scan", scan, "--", self, "echo")
		cmd.Env = append(os.Environ(), "FLOOR_TEST=1")
		cmd.Stdin = strings.NewReader(strings.Join(sent, "\n") + "\n")
		var out, failed bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &failed
		if err := cmd.Run(); err != nil {
			t.Fatalf("-scan %s: %v\n%s", scan, err, failed.String())
		}
		got := strings.Split(strings.TrimSpace(out.String()), "\n")
		want := slices.Clone(sent)
		if scan != "none" { // scans finish in any order
			slices.Sort(got)
			slices.Sort(want)
		}
		if !slices.Equal(got, want) {
			t.Errorf("-scan %s: %d lines arrived, want %d unchanged", scan, len(got), len(want))
		}
	}
}

// Answers reach the request with their id, also when several wait.
func TestHTTP(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, scan := range []string{"none", "grpc"} {
		address := freeAddress(t)
		cmd := exec.Command(self, "-scan", scan, "-http", address, "--", self, "echo")
		cmd.Env = append(os.Environ(), "FLOOR_TEST=1")
		cmd.Stderr = t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		post := func(body string) (int, string, error) {
			r, err := http.Post("http://"+address, "application/json", strings.NewReader(body))
			if err != nil {
				return 0, "", err
			}
			defer r.Body.Close()
			text, err := io.ReadAll(r.Body)
			return r.StatusCode, strings.TrimSpace(string(text)), err
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			status, text, err := post(`{"method":"notifications/initialized"}`)
			if err == nil && status == http.StatusAccepted && text == "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("-scan %s: %d %q %v", scan, status, text, err)
			}
		}
		var wg sync.WaitGroup
		for id := range 20 {
			wg.Go(func() {
				body := fmt.Sprintf(`{"id":%d,"pad":%q}`, id, strings.Repeat("x", id*20_000))
				status, text, err := post(body)
				if err != nil || status != http.StatusOK || text != body {
					t.Errorf("-scan %s: %d, %d bytes, %v; want %d", scan, status, len(text), err, len(body))
				}
			})
		}
		wg.Wait()
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			t.Errorf("-scan %s: %v", scan, err)
		}
	}
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestBadUse(t *testing.T) {
	for _, args := range [][]string{{}, {"-scan", "all", "--", "true"}} {
		if err := run(args); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}
