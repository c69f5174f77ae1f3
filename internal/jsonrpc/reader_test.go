package jsonrpc

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*readSize)
	for _, tt := range []struct {
		name, in string
		limit    int
		want     []string // "!" and the length of Head for a line that is too long
	}{
		{"lines", "a\nbc\n", 10, []string{"a", "bc"}},
		{"no end", "a\nbc", 10, []string{"a", "bc"}},
		{"CRLF", "a\r\nbc\r\n", 10, []string{"a", "bc"}},
		{"CR at the end", "a\r", 10, []string{"a"}},
		{"CR inside", "a\rb\r\r\n", 10, []string{"a\rb\r"}},
		{"blank lines", "\n\r\n \t\na\n\n", 10, []string{"a"}},
		{"nothing", "", 10, nil},
		{"at the limit", "12345\n123456\n12345\r\n12345", 5, []string{"12345", "!6", "12345", "12345"}},
		{"limit of one", "1\n12\n\r\n1\r\n1\r", 1, []string{"1", "!2", "1", "1"}},
		{"limit and CR without LF", "12345\rx\n1\n", 5, []string{"!7", "1"}},
		{"no limit given", "1\n", 0, []string{"1"}},
		{"long", long + "\nb\n", len(long), []string{long, "b"}},
		{"long with CRLF", long + "\r\nb", len(long), []string{long, "b"}},
		{"too long by one", long + "x\nb\n", len(long), []string{"!4096", "b"}},
		{"too long at the end", "a\n" + long, 10, []string{"a", "!4096"}},
		{"two too long", long + "\n" + long + "\nb\n", 10, []string{"!4096", "!4096", "b"}},
	} {
		for name, in := range map[string]io.Reader{
			"whole":        strings.NewReader(tt.in),
			"bytes":        iotest.OneByteReader(strings.NewReader(tt.in)),
			"with the end": iotest.DataErrReader(strings.NewReader(tt.in)),
		} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				r := NewReader(in, tt.limit)
				for _, want := range tt.want {
					line, err := r.Next()
					var tooLong *TooLongError
					if strings.HasPrefix(want, "!") {
						if !errors.As(err, &tooLong) || tooLong.Limit != tt.limit || line != nil ||
							!strings.Contains(tt.in, string(tooLong.Head)) || len(tooLong.Head) < min(tt.limit, headSize) || len(tooLong.Head) > headSize {
							t.Fatalf("got %.20q, %v", line, err)
						}
						continue
					}
					if err != nil || string(line) != want {
						t.Fatalf("got %.20q, %v, want %.20q", line, err, want)
					}
				}
				for range 2 {
					if line, err := r.Next(); line != nil || !errors.Is(err, io.EOF) {
						t.Fatalf("at the end: %q, %v", line, err)
					}
				}
			})
		}
	}
}

func TestReaderGivesCopies(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", 100<<10)
	r := NewReader(strings.NewReader("aaaa\nbbbb\n"+long+"\n"+strings.Repeat("z", 100<<10)+"\n"), 1<<20)
	var lines [][]byte
	for range 4 {
		line, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	_ = append(lines[0], "overwritten"...)
	if string(lines[0]) != "aaaa" || string(lines[1]) != "bbbb" || string(lines[2]) != long {
		t.Error("a line changed after it was returned")
	}
}

func TestReaderError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	r := NewReader(io.MultiReader(strings.NewReader("a\npart"), iotest.ErrReader(broken)), 10)
	if line, err := r.Next(); string(line) != "a" || err != nil {
		t.Fatalf("got %q, %v", line, err)
	}
	for range 2 {
		if line, err := r.Next(); line != nil || !errors.Is(err, broken) {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	if _, err := NewReader(idle{}, 10).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// endless gives a line that does not end before n bytes.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = '['
	}
	e.n -= len(p)
	return len(p), nil
}

func TestReaderSkipsInConstantMemory(t *testing.T) {
	const limit = 1 << 20
	r := NewReader(&endless{n: 256 << 20}, limit)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.Next()
	var tooLong *TooLongError
	if !errors.As(err, &tooLong) || !bytes.Equal(tooLong.Head, bytes.Repeat([]byte("["), headSize)) {
		t.Fatal(err)
	}
	if _, err = r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4*limit {
		t.Errorf("allocated %d bytes for a limit of %d", used, limit)
	}
}
