package front

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// smallBody is how long a body may be that is read without asking for room: as
// many as there are connections fit into the memory.
const smallBody = 64 << 10

// errManyBodies says that a principal sends as much at a time as it may.
var errManyBodies = errors.New("too many long messages at a time")

// room bounds the bytes of long bodies that are read at a time, for each
// principal: what a client only announces, or sends as slowly as it may, must
// not fill the memory.
type room struct {
	mu   sync.Mutex
	used map[string]int64 // by principal
}

// take takes n bytes, if the principal has as much left of its limit.
func (o *room) take(principal string, n, limit int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used[principal]+n > limit {
		return false
	}
	if o.used == nil {
		o.used = map[string]int64{}
	}
	o.used[principal] += n
	return true
}

// give gives back what was taken.
func (o *room) give(principal string, n int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.used[principal] -= n; o.used[principal] == 0 {
		delete(o.used, principal)
	}
}

// body reads the body of a request.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, principal string) ([]byte, error) {
	longest := int64(h.opts.MaxMessage)
	n := r.ContentLength
	switch {
	case n > longest:
		return nil, &http.MaxBytesError{Limit: longest}
	case n < 0:
		return h.unmeasured(w, r, principal, longest)
	case n > smallBody:
		if !h.bodies.take(principal, n, max(h.limits.bodies, longest)) {
			return nil, errManyBodies
		}
		defer h.bodies.give(principal, n)
	}
	// The byte more has the reader meet the end with the last read.
	body := make([]byte, n+1)
	read, err := io.ReadFull(r.Body, body)
	if int64(read) == n && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return body[:n:n], nil
	}
	return nil, err
}

// unmeasured reads a body whose length is not said. Once it is not small it
// counts for as long as a message may be.
func (h *Handler) unmeasured(w http.ResponseWriter, r *http.Request, principal string, longest int64) ([]byte, error) {
	small := min(smallBody, longest)
	var buf bytes.Buffer
	if n, err := buf.ReadFrom(io.LimitReader(r.Body, small)); err != nil || n < small {
		return buf.Bytes(), err
	}
	if !h.bodies.take(principal, longest, max(h.limits.bodies, longest)) {
		return nil, errManyBodies
	}
	defer h.bodies.give(principal, longest)
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, longest-small))
	return buf.Bytes(), err
}
