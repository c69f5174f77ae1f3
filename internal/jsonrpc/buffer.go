package jsonrpc

import (
	"slices"
	"sync"
)

// keepBuffer is the size, in bytes, up to which a Writer keeps its buffers for
// later messages. Larger ones are borrowed while they are needed.
const keepBuffer = 64 << 10

// large holds buffers for long messages; the garbage collector empties it.
var large sync.Pool

// borrow returns an empty buffer, perhaps with room.
func borrow() []byte {
	if b, ok := large.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

// giveBack ends a loan. The caller must not use b again.
func giveBack(b []byte) {
	if cap(b) >= keepBuffer {
		large.Put(&b)
	}
}

// grow makes room for n more bytes: twice as much as there was, but not more
// than limit if that is enough.
func grow(b []byte, n, limit int) []byte {
	if len(b)+n <= cap(b) {
		return b
	}
	return slices.Grow(b, max(n, min(2*cap(b), limit)-len(b)))
}
