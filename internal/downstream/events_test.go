package downstream

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func readAll(s *events) (got []event, err error) {
	for {
		e, err := s.next()
		if err != nil {
			return got, err
		}
		got = append(got, e)
	}
}

func TestEvents(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"one", "data: {}\n\n", "|{};"},
		{"crlf", "event: message\r\ndata: {}\r\n\r\n", "message|{};"},
		{"cr", "data: a\r\rdata: b\r\r", "|a;|b;"},
		{"mixed line ends", "data: a\r\n\rdata: b\n\r\n", "|a;|b;"},
		{"without the space", "data:a\n\n", "|a;"},
		{"one space only", "data:  a\n\n", "| a;"},
		{"lines are joined", "data: {\ndata:  \"a\":1\ndata: }\n\n", "|{\n \"a\":1\n};"},
		{"empty data", "data\n\n", "|;"},
		{"comments", ": hello\n\n:\n\ndata: a\n: in between\n\n", "|a;"},
		{"unknown fields", "foo: bar\ndata: a\nDATA: b\n\n", "|a;"},
		{"byte order mark", "\ufeffdata: a\n\n", "|a;"},
		{"name only", "event: ping\n\n", "ping|;"},
		{"cut off", "data: a\n\ndata: b\n", "|a;"},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for kind, r := range map[string]io.Reader{
				"whole": strings.NewReader(tt.in), "by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
				"error with data": iotest.DataErrReader(strings.NewReader(tt.in)),
			} {
				s := &events{limit: 1 << 10}
				s.open(r)
				got, err := readAll(s)
				if !errors.Is(err, io.EOF) {
					t.Errorf("%s: ended with %v", kind, err)
				}
				var b strings.Builder
				for _, e := range got {
					b.WriteString(e.name + "|" + string(e.data) + ";")
				}
				if b.String() != tt.want {
					t.Errorf("%s: got %q, want %q", kind, b.String(), tt.want)
				}
			}
		})
	}
}

// TestEventsTakeLinearTime: were the rest of the buffer searched at each line,
// this would take hours.
func TestEventsTakeLinearTime(t *testing.T) {
	const size = 8 << 20
	in := "data: " + strings.Repeat("x", size) + "\n\n" + strings.Repeat("\r", size) + "data: a\r\r"
	s := &events{limit: 2 * size}
	s.open(strings.NewReader(in))
	if got, err := readAll(s); len(got) != 2 || string(got[1].data) != "a" || !errors.Is(err, io.EOF) {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func TestEventPositionAndRetry(t *testing.T) {
	s := &events{limit: 1 << 10}
	s.open(strings.NewReader("id: 1\nretry: 2500\ndata: a\n\nid: bad\x00\nretry: -1\ndata: b\n\nid: 3\n"))
	if _, err := readAll(s); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if s.position != "1" || s.retry != 2500*time.Millisecond {
		t.Errorf("position %q, retry %v", s.position, s.retry)
	}
	s.open(strings.NewReader("id\ndata: a\n\n"))
	if _, err := readAll(s); !errors.Is(err, io.EOF) || s.position != "" {
		t.Errorf("position %q, %v", s.position, err)
	}
}

func TestLongEvents(t *testing.T) {
	for name, in := range map[string]string{
		"one line":        "data: " + strings.Repeat("x", 200) + "\n\n",
		"an endless line": strings.Repeat("x", 200),
		"many lines":      strings.Repeat("data: x\n", 20) + "\n",
		"comments":        strings.Repeat(":\n", 100),
	} {
		s := &events{limit: 100}
		s.open(strings.NewReader(in))
		if _, err := readAll(s); !errors.Is(err, errEventTooLong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := &events{limit: 100}
	s.open(strings.NewReader(strings.Repeat(": keep alive, for days\n\n", 1000) + "data: a\n\n"))
	if got, err := readAll(s); len(got) != 1 {
		t.Errorf("after many comments: %d events, %v", len(got), err)
	}
}

func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		"data: a\n\n", "data: a\r\rdata: b\r\n\r\n", "id: 1\nevent: x\ndata\n\n", "\ufeff:\n\n\n", "data: {\ndata: }\n\n",
		"data: " + strings.Repeat("x", 70) + "\r\n\r\ndata: a\n\n", strings.Repeat("data: x\n", 9) + "\ndata: a\n\n",
		"data:\x00\xff\n\n", "retry: 99999999999\n\n", "id: \x7f\ndata: x\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 64
		var runs [2]string
		for n, r := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in))} {
			s := &events{limit: limit}
			s.open(r)
			var b strings.Builder
			for {
				e, err := s.next()
				if errors.Is(err, errEventTooLong) {
					b.WriteString("too long\x00")
					continue
				}
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Fatal(err)
					}
					break
				}
				if len(e.data) > limit || bytes.IndexByte(e.data, '\r') >= 0 {
					t.Fatalf("event %q", e.data)
				}
				b.WriteString(e.name + "\x00" + string(e.data) + "\x00")
			}
			if s.position != "" && !isHeaderText(s.position) {
				t.Fatalf("position %q", s.position)
			}
			runs[n] = b.String() + s.position
		}
		if runs[0] != runs[1] {
			t.Fatalf("read at once: %q, byte by byte: %q", runs[0], runs[1])
		}
	})
}

func BenchmarkEvents(b *testing.B) {
	one := []byte("event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"text\":\"" + strings.Repeat("x", 2000) + "\"}}\n\n")
	in := bytes.Repeat(one, 100)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		s := &events{limit: 1 << 20}
		s.open(bytes.NewReader(in))
		if got, _ := readAll(s); len(got) != 100 {
			b.Fatal(len(got))
		}
	}
}
