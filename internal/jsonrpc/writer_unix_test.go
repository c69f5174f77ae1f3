//go:build unix

package jsonrpc

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// pairs of connected files, by kind: what a peer may be connected with. In the
// blocking ones a write blocks, as with standard output as it is inherited.
func filePairs(t *testing.T) map[string][2]*os.File {
	t.Helper()
	out := map[string][2]*os.File{}
	add := func(name string, r, w *os.File) {
		out[name] = [2]*os.File{r, w}
		t.Cleanup(func() { _ = r.Close() })
		t.Cleanup(func() { _ = w.Close() })
	}
	pipe := func() (r, w *os.File) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		return r, w
	}
	r, w := pipe()
	add("pipe", r, w)
	r, w = pipe()
	w.Fd() // makes it blocking
	add("blocking pipe", r, w)
	for _, nonblocking := range []bool{false, true} {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		name := "blocking socket"
		if nonblocking {
			name = "socket"
			if err := unix.SetNonblock(fds[1], true); err != nil {
				t.Fatal(err)
			}
		}
		add(name, os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w"))
	}
	return out
}

func TestFileMode(t *testing.T) {
	t.Parallel()
	for name, pair := range filePairs(t) {
		o, ok := newFileOutput(pair[1]).(*fileOutput)
		if !ok || o.polled == strings.HasPrefix(name, "blocking") || o.socket != strings.HasSuffix(name, "socket") {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestFileOrder(t *testing.T) {
	t.Parallel()
	for name, pair := range filePairs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkOrder(t, NewWriter(pair[1], WriterOptions{Limit: 1 << 20}), pair[0])
		})
	}
}

// A peer that does not read must not block the caller before the limit, however
// full the descriptor is, and everything arrives when it reads again. A Writer
// that blocks makes this test hang.
func TestFileThatNobodyReads(t *testing.T) {
	t.Parallel()
	for name, pair := range filePairs(t) {
		for _, size := range []int{1, 100, 5000, 300 << 10} {
			t.Run(name, func(t *testing.T) {
				const limit = 128 << 10
				w := NewWriter(pair[1], WriterOptions{Limit: limit})
				frame := []byte(`"` + strings.Repeat("x", size) + `"`)
				line := append(bytes.Clone(frame), '\n')
				sent := 0
				for ; ; sent++ {
					err := w.Offer(frame)
					if errors.Is(err, ErrFull) {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				if sent*len(line) < limit-len(line) {
					t.Errorf("full after %d bytes", sent*len(line))
				}
				got := make([]byte, len(line))
				for i := range sent {
					if _, err := io.ReadFull(pair[0], got); err != nil || !bytes.Equal(got, line) {
						t.Fatalf("frame %d of %d: %.30q, %v", i, sent, got, err)
					}
				}
				if err := w.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

func TestFileWritesInline(t *testing.T) {
	t.Parallel()
	for name, pair := range filePairs(t) {
		w := NewWriter(pair[1], WriterOptions{Limit: 1 << 20})
		frame := []byte(`"` + strings.Repeat("x", 9000) + `"`)
		for range 3 {
			if err := w.Write(frame); err != nil {
				t.Fatal(err)
			}
			if w.busy() {
				t.Errorf("%s: a goroutine was started", name)
			}
		}
	}
}

func TestFileError(t *testing.T) {
	t.Parallel()
	for name, pair := range filePairs(t) {
		w := NewWriter(pair[1], WriterOptions{Limit: 4 << 20})
		if err := w.Write([]byte(`"` + strings.Repeat("x", 1<<20) + `"`)); err != nil {
			t.Fatal(err)
		}
		if err := pair[0].Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(t.Context()); !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("%s: pending bytes: %v", name, err)
		}
		if err := w.Write([]byte("1")); !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("%s: later: %v", name, err)
		}
		fresh := NewWriter(pair[1], WriterOptions{})
		if err := fresh.Write([]byte("1")); !errors.Is(err, unix.EPIPE) {
			t.Errorf("%s: written by the caller: %v", name, err)
		}
		if err := pair[1].Close(); err != nil {
			t.Fatal(err)
		}
		closed := NewWriter(pair[1], WriterOptions{})
		if err := errors.Join(closed.Write([]byte("1")), closed.Flush(t.Context())); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: closed file: %v", name, err)
		}
	}
}

// The runtime waits for a file of its own: closing it ends the wait.
func TestFileCloseEndsTheWait(t *testing.T) {
	t.Parallel()
	pair := filePairs(t)["pipe"]
	w := NewWriter(pair[1], WriterOptions{})
	if err := w.Write([]byte(`"` + strings.Repeat("x", 1<<20) + `"`)); err != nil {
		t.Fatal(err)
	}
	if err := pair[1].Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// Whoever shares standard output with the relay may make it non-blocking.
func TestFileBecomesNonBlocking(t *testing.T) {
	t.Parallel()
	pair := filePairs(t)["blocking pipe"]
	w := NewWriter(pair[1], WriterOptions{Limit: 1 << 20})
	if err := unix.SetNonblock(int(pair[1].Fd()), true); err != nil {
		t.Fatal(err)
	}
	checkOrder(t, w, pair[0])
}
