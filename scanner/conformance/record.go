package conformance

import (
	"bytes"
	"os"
	"strings"
	"sync"
)

// record keeps what a process writes to one stream.
type record struct {
	mu    sync.Mutex
	text  []byte // the first of it
	tail  []byte // the last of it
	bytes int
	lines int

	begun chan struct{} // closed when the first line is there, or the end
	ended chan struct{} // closed at the end
}

func newRecord() *record { return &record{begun: make(chan struct{}), ended: make(chan struct{})} }

func (r *record) follow(f *os.File) {
	defer f.Close()
	defer close(r.ended)
	buf := make([]byte, 32<<10)
	for begun := false; ; {
		n, err := f.Read(buf)
		r.mu.Lock()
		r.bytes += n
		r.lines += bytes.Count(buf[:n], []byte("\n"))
		r.text = append(r.text, buf[:min(n, maxKept-len(r.text))]...)
		r.tail = append(r.tail, buf[:n]...)
		r.tail = r.tail[max(0, len(r.tail)-4<<10):]
		first := !begun && (err != nil || r.lines > 0 || len(r.text) > maxGreeting)
		r.mu.Unlock()
		if first {
			begun = true
			close(r.begun)
		}
		if err != nil {
			return
		}
	}
}

// line returns the first line without its end, empty when there is none.
func (r *record) line() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	line, _, ok := bytes.Cut(r.text, []byte("\n"))
	if !ok && len(r.text) <= maxGreeting {
		return ""
	}
	return strings.TrimSuffix(string(line[:min(len(line), maxGreeting+1)]), "\r")
}

// after returns what was written after the first line.
func (r *record) after() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, rest, _ := bytes.Cut(r.text, []byte("\n"))
	return bytes.Clone(rest)
}

// last returns the end of what was written, at most n bytes.
func (r *record) last(n int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.tail[max(0, len(r.tail)-n):])
}

// written returns how much was written so far.
func (r *record) written() (size, lines int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bytes, r.lines
}

// holds reports whether the text occurs in what was kept.
func (r *record) holds(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Contains(r.text, []byte(text))
}
