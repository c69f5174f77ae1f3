package bridge

import "sync"

// Room bounds how many values several lots hold together. It is safe for
// concurrent use; nil is room without end.
type Room struct {
	limit int

	mu    sync.Mutex
	taken int
}

// NewRoom returns room for so many values; 0: as many as one likes.
func NewRoom(limit int) *Room { return &Room{limit: limit} }

// take takes a place, if there is one.
func (r *Room) take() bool {
	if r == nil {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if full(r.taken, r.limit) {
		return false
	}
	r.taken++
	return true
}

// give gives a place back.
func (r *Room) give() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken--
}
