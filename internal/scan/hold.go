package scan

import "sync"

// hold counts the bytes that wait for a verdict, for each server, so that one
// that sends much at a time cannot fill the memory: what it sends above its
// limit is held back, and the others do not notice.
type hold struct {
	mu    sync.Mutex
	bytes map[string]int
}

// maxHeld is how many bytes of one server may wait for a verdict. The longest
// message, in a few copies, fits.
const maxHeld = 256 << 20

// take reports whether n more bytes of a server may wait.
func (h *hold) take(server string, n int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bytes == nil {
		h.bytes = map[string]int{}
	}
	if h.bytes[server] > 0 && h.bytes[server]+n > maxHeld {
		return false
	}
	h.bytes[server] += n
	return true
}

// give ends the wait of n bytes of a server.
func (h *hold) give(server string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bytes[server] -= n; h.bytes[server] <= 0 {
		delete(h.bytes, server)
	}
}
