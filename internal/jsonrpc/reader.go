package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	readSize = 32 << 10
	headSize = 4 << 10
	// emptyReads is how many reads in a row may return nothing.
	emptyReads = 100
)

// TooLongError says that a line was longer than the limit. The Reader goes on
// with the line after it.
type TooLongError struct {
	Limit int
	Head  []byte // the first 4 KiB of the line, for finding out whom it answers
}

// Error returns the limit.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("message longer than the limit of %d bytes", e.Limit)
}

// Reader reads lines. It is for one goroutine.
type Reader struct {
	r     io.Reader
	limit int

	buf      []byte // what was read
	from, to int    // the part of buf that no line has taken yet
	line     []byte // the beginning of a line longer than buf
	skipping bool   // the rest of a line that was too long comes next
	err      error
}

// NewReader returns a Reader of lines of at most limit bytes, not counting the
// line's end. A limit below 1 counts as 1.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: r, limit: max(limit, 1)}
}

// Next returns the next line that is not blank, without its LF or CRLF. The
// slice is the caller's. A longer line gives a *TooLongError as soon as it is
// known to be, and the call after that skips the rest of it in constant memory.
// At the end Next returns io.EOF, after a last line that has no LF; any other
// error of the underlying reader is wrapped, and what was read of a line is
// dropped.
func (r *Reader) Next() ([]byte, error) {
	for {
		if n := bytes.IndexByte(r.buf[r.from:r.to], '\n'); n >= 0 {
			part := r.buf[r.from : r.from+n]
			r.from += n + 1
			if line, err := r.finish(part); line != nil || err != nil {
				return line, err
			}
			continue
		}
		if err := r.keep(); err != nil {
			return nil, err
		}
		if r.err != nil {
			return r.last()
		}
		r.fill()
	}
}

// finish returns the line that ends with part, or nil if there is none.
func (r *Reader) finish(part []byte) ([]byte, error) {
	if r.skipping {
		r.skipping = false
		return nil, nil
	}
	line := part
	if r.line != nil {
		r.line = append(r.line, part...)
		line = r.line
		defer r.drop()
	}
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) > r.limit {
		return nil, r.tooLong(line)
	}
	if len(bytes.TrimLeft(line, " \t\r")) == 0 {
		return nil, nil
	}
	return bytes.Clone(line), nil
}

// keep moves what is in buf to line, because the line does not end there.
func (r *Reader) keep() error {
	part := r.buf[r.from:r.to]
	r.from, r.to = 0, 0
	if r.skipping || len(part) == 0 {
		return nil
	}
	// One byte more than the limit may still be the CR of a CRLF.
	room := r.limit + 1 - len(r.line)
	fitting := part[:min(len(part), room)]
	if r.line == nil {
		r.line = borrow()
	}
	r.line = append(grow(r.line, len(fitting), r.limit+1), fitting...)
	if len(part) > room || (len(part) == room && r.line[r.limit] != '\r') {
		err := r.tooLong(r.line)
		r.drop()
		r.skipping = true
		return err
	}
	return nil
}

// drop ends the use of line.
func (r *Reader) drop() {
	giveBack(r.line)
	r.line = nil
}

func (r *Reader) tooLong(line []byte) error {
	return &TooLongError{Limit: r.limit, Head: bytes.Clone(line[:min(len(line), headSize)])}
}

// fill reads into the empty buf.
func (r *Reader) fill() {
	if r.buf == nil {
		r.buf = make([]byte, readSize)
	}
	for range emptyReads {
		n, err := r.r.Read(r.buf)
		r.from, r.to, r.err = 0, n, err
		if n > 0 || err != nil {
			return
		}
	}
	r.err = io.ErrNoProgress
}

// last returns what is to be returned when no more can be read.
func (r *Reader) last() ([]byte, error) {
	if !errors.Is(r.err, io.EOF) {
		r.drop()
		return nil, fmt.Errorf("read a message: %w", r.err)
	}
	if line, err := r.finish(nil); line != nil || err != nil {
		return line, err
	}
	return nil, io.EOF
}
