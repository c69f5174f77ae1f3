package jsonrpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// busy reports whether somebody is writing.
func (w *Writer) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flushing
}

func TestWriterMakesLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := NewWriter(&out, WriterOptions{Limit: 1 << 20})
	frame := []byte("{\"a\":\r\n1}")
	for _, tt := range []struct {
		frame string
		want  error
	}{
		{string(frame), nil},
		{`"x\ny"`, nil},
		{"\"x\ny\"", ErrNotOneLine},
		{"\"x\ry\"", ErrNotOneLine},
		{"", ErrNotOneLine},
		{"\n", ErrNotOneLine},
		{`{}`, nil},
	} {
		in := []byte(tt.frame)
		if err := w.Write(in); !errors.Is(err, tt.want) {
			t.Errorf("%q: got %v", tt.frame, err)
		}
		clear(in) // the writer must not look at it any more
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := "{\"a\":1}\n\"x\\ny\"\n{}\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if w.busy() {
		t.Error("a goroutine is left")
	}
}

// checkOrder has many goroutines write to w at once and checks what comes out of
// r: every line whole, and those of one goroutine in order.
func checkOrder(t *testing.T, w *Writer, r io.Reader) {
	t.Helper()
	const writers, frames = 8, 300
	var group sync.WaitGroup
	for g := range writers {
		group.Go(func() {
			for i := range frames {
				size := 10
				if i%50 == 0 {
					size = 200 << 10
				}
				frame := fmt.Appendf(nil, `[%d,%d,"%s"]`, g, i, strings.Repeat("x", size))
				if err := w.Write(frame); err != nil {
					t.Errorf("write: %v", err)
					return
				}
			}
		})
	}
	reader := NewReader(r, 1<<20)
	var next [writers]int
	for range writers * frames {
		line, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if err := Validate(line, nil); err != nil {
			t.Fatalf("%.40q: %v", line, err)
		}
		var g, i int
		if _, err := fmt.Sscanf(string(line[:min(len(line), 20)]), "[%d,%d,", &g, &i); err != nil {
			t.Fatal(err)
		}
		if i != next[g] {
			t.Fatalf("goroutine %d: frame %d, want %d", g, i, next[g])
		}
		next[g]++
	}
	group.Wait()
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.busy() {
		t.Error("a goroutine is left")
	}
}

func TestWriterOrder(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 1 << 10, 1 << 22} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			r, w := io.Pipe()
			checkOrder(t, NewWriter(w, WriterOptions{Limit: limit}), r)
		})
	}
}

func TestWriterLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, out := io.Pipe()
		w := NewWriter(out, WriterOptions{Limit: 10})
		must := func(want error, err error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
		}
		must(nil, w.Write([]byte(`"more than the limit"`))) // nothing is pending
		must(ErrFull, w.Offer([]byte(`1`)))
		line := make([]byte, 22)
		if _, err := io.ReadFull(r, line); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		must(nil, w.Offer([]byte(`1111`)))
		must(nil, w.Offer([]byte(`2222`)))
		must(ErrFull, w.Offer([]byte(`3`)))

		// Whoever waits is served in order, and is not overtaken.
		var done atomic.Int32
		for _, frame := range []string{`44444`, `5`} {
			go func() {
				if err := w.Write([]byte(frame)); err == nil {
					done.Add(1)
				}
			}()
			synctest.Wait()
		}
		if _, err := io.ReadFull(r, line[:5]); err != nil { // room for 5, not for 44444
			t.Fatal(err)
		}
		synctest.Wait()
		must(ErrFull, w.Offer([]byte(`6`)))
		if n := done.Load(); n != 0 {
			t.Fatalf("%d accepted", n)
		}
		rest := make([]byte, 13)
		if _, err := io.ReadFull(r, rest); err != nil || string(rest) != "2222\n44444\n5\n" {
			t.Fatalf("got %q, %v", rest, err)
		}
		synctest.Wait()
		if n := done.Load(); n != 2 {
			t.Fatalf("%d accepted", n)
		}
		must(nil, w.Flush(t.Context()))
	})
}

func TestWriterClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, out := io.Pipe()
		w := NewWriter(out, WriterOptions{})
		if err := w.Write([]byte(`1`)); err != nil {
			t.Fatal(err)
		}
		var waited error
		go func() { waited = w.Write([]byte(`2`)) }()
		synctest.Wait()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !errors.Is(waited, ErrClosed) {
			t.Errorf("a waiting Write: %v", waited)
		}
		for _, err := range []error{w.Write([]byte(`3`)), w.Offer([]byte(`3`))} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v", err)
		}
		line := make([]byte, 2)
		if _, err := io.ReadFull(r, line); err != nil || string(line) != "1\n" {
			t.Errorf("what was accepted before Close: %q, %v", line, err)
		}
		if err := w.Flush(t.Context()); err != nil {
			t.Errorf("Flush: %v", err)
		}
	})
}

func TestWriterError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		r, out := io.Pipe()
		w := NewWriter(out, WriterOptions{})
		if err := w.Write([]byte(`1`)); err != nil {
			t.Fatal(err)
		}
		var waited error
		go func() { waited = w.Write([]byte(`2`)) }()
		synctest.Wait()
		if err := r.CloseWithError(broken); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, err := range []error{waited, w.Write([]byte(`3`)), w.Offer([]byte(`3`)), w.Flush(t.Context()), w.Close()} {
			if !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
		}
		if w.busy() {
			t.Error("a goroutine is left")
		}
	})
}

type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestWriterShortWrite(t *testing.T) {
	t.Parallel()
	w := NewWriter(short{}, WriterOptions{})
	if err := w.Write([]byte(`12345`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
}

func TestWriterStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const stall = time.Minute
		r, out := io.Pipe()
		var calls atomic.Int32
		w := NewWriter(out, WriterOptions{Limit: 1 << 20, Stall: stall, OnStall: func() { calls.Add(1) }})
		read := func(n int) {
			t.Helper()
			if _, err := io.ReadFull(r, make([]byte, n)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		expect := func(want int32) {
			t.Helper()
			synctest.Wait()
			if n := calls.Load(); n != want {
				t.Fatalf("called %d times, want %d", n, want)
			}
		}
		long := []byte(`"` + strings.Repeat("x", 3*chunk) + `"`)
		if err := w.Write(long); err != nil {
			t.Fatal(err)
		}
		for range 3 { // slow, but there is progress
			time.Sleep(stall - 1)
			read(chunk)
		}
		read(3)
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * stall) // idle is not stalled
		expect(0)
		if err := w.Write(long); err != nil {
			t.Fatal(err)
		}
		time.Sleep(stall - 1)
		expect(0)
		time.Sleep(time.Nanosecond)
		expect(1)
		read(chunk)
		time.Sleep(10 * stall) // once in its life
		expect(1)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// slow takes one write at a time, when it is told to.
type slow struct {
	turn  chan struct{}
	sizes []int
}

func (s *slow) Write(p []byte) (int, error) {
	<-s.turn
	s.sizes = append(s.sizes, len(p))
	return len(p), nil
}

func TestWriterCoalesces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &slow{turn: make(chan struct{})}
		w := NewWriter(out, WriterOptions{Limit: 1 << 20})
		for range 101 {
			if err := w.Write([]byte(`123456789`)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		close(out.turn)
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(out.sizes) != 2 || out.sizes[0] != 10 || out.sizes[1] != 1000 {
			t.Errorf("writes of %d bytes", out.sizes)
		}
	})
}
