package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// maxLine bounds a line that is read, in bytes. The longest record that is ever
// written is shorter.
const maxLine = 1 << 20

// Reader reads records back: those of a file and of what it was rotated to,
// oldest first. It is not safe for concurrent use.
type Reader struct {
	files []source
	// Torn is how many pieces of lines were skipped: a relay was killed, or the
	// disk was full, while it wrote.
	Torn int
}

type source struct {
	path string
	f    *os.File
}

// OpenReader opens records by the paths of their current files. The error wraps
// fs.ErrNotExist when one has neither a file nor backups.
func OpenReader(paths ...string) (*Reader, error) {
	r := &Reader{}
	for _, path := range paths {
		if err := r.open(path); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

func (r *Reader) open(path string) error {
	// The current file first: when it is rotated meanwhile, it is found among
	// the backups again.
	current, err := os.Open(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading the audit record: %w", err)
	}
	backups := Backups(path)
	if current == nil && len(backups) == 0 {
		return fmt.Errorf("reading the audit record: %w", err)
	}
	all := make([]source, 0, len(backups)+1)
	for _, name := range backups {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned meanwhile
		}
		if err != nil {
			closeAll(append(all, source{f: current}))
			return fmt.Errorf("reading the audit record: %w", err)
		}
		all = append(all, source{name, f})
	}
	if current != nil {
		all = append(all, source{path, current})
	}
	for _, s := range all {
		if r.has(s.f) {
			_ = s.f.Close()
			continue
		}
		r.files = append(r.files, s)
	}
	return nil
}

// has reports whether a file is open already under another name.
func (r *Reader) has(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	for _, s := range r.files {
		if other, err := s.f.Stat(); err == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

// Files returns the paths of what is read.
func (r *Reader) Files() []string {
	names := make([]string, len(r.files))
	for i, s := range r.files {
		names[i] = s.path
	}
	return names
}

// Close closes the files.
func (r *Reader) Close() { closeAll(r.files) }

func closeAll(all []source) {
	for _, s := range all {
		if s.f != nil {
			_ = s.f.Close()
		}
	}
}

// Line is one line of a record's file.
type Line struct {
	File   string // path
	Number int    // from 1
	Text   []byte // without its line feed; only until the next line
}

// Lines yields all lines that are JSON objects by their first and last
// characters, and counts the others. A read that fails ends the sequence with an
// error.
func (r *Reader) Lines() iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for _, s := range r.files {
			if !r.lines(s, yield) {
				return
			}
		}
	}
}

func (r *Reader) lines(s source, yield func(Line, error) bool) bool {
	in := bufio.NewReaderSize(s.f, 256<<10)
	var long []byte
	for number := 1; ; number++ {
		text, err := in.ReadSlice('\n')
		for long = long[:0]; errors.Is(err, bufio.ErrBufferFull); text, err = in.ReadSlice('\n') {
			if len(long) <= maxLine {
				long = append(long, text...)
			}
		}
		if len(long) > 0 {
			long = append(long, text...)
			text = long
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			if len(text) > 0 {
				r.Torn++ // or it is just being written
			}
			return true
		default:
			return yield(Line{}, fmt.Errorf("reading %s: %w", filepath.Base(s.path), err))
		}
		text = text[:len(text)-1]
		if whole := r.whole(text); whole != nil && !yield(Line{s.path, number, whole}, nil) {
			return false
		}
	}
}

// beginning is how every record begins.
const beginning = `{"time":"`

// whole returns the record in a line: what follows a piece of another one that
// was cut off, or nil.
func (r *Reader) whole(text []byte) []byte {
	if len(text) == 0 {
		return nil
	}
	if len(text) > maxLine || text[len(text)-1] != '}' {
		r.Torn++
		return nil
	}
	at := bytes.LastIndex(text, []byte(beginning))
	switch {
	case at > 0:
		r.Torn++
		return text[at:]
	case at < 0 && text[0] != '{':
		r.Torn++
		return nil
	default:
		return text
	}
}
