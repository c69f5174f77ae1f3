package front

import (
	"slices"
	"sync/atomic"
)

// event is a message that was sent on a stream, kept for a client that lost its
// connection (MCP 2025-11-25, Streamable HTTP, resumability).
type event struct {
	of *stream
	item
}

// history holds the events of a session, the oldest first, as many as its limits
// and those of all sessions together allow. What belongs to streams that are over
// goes first.
type history struct {
	events []event
	size   int
	all    *atomic.Int64 // bytes that all sessions keep
}

// add keeps an event, and drops others when there are too many. dropped is
// called with the stream of each.
func (h *history) add(of *stream, it item, l *limits, dropped func(*stream)) {
	h.events = append(h.events, event{of: of, item: it})
	of.kept++
	h.grow(len(it.frame))
	for len(h.events) > 0 && (h.size > l.kept || len(h.events) > l.keptItems || h.all.Load() > l.keptAll) {
		i := max(0, slices.IndexFunc(h.events, func(e event) bool { return e.of.over }))
		victim := h.events[i]
		victim.of.from = victim.seq
		victim.of.kept--
		h.grow(-len(victim.frame))
		h.events = slices.Delete(h.events, i, i+1)
		dropped(victim.of)
	}
}

// after returns the events of a stream after the given one.
func (h *history) after(of *stream, seq uint64) []item {
	var items []item
	for _, e := range h.events {
		if e.of == of && e.seq > seq {
			items = append(items, e.item)
		}
	}
	return items
}

// clear keeps nothing more.
func (h *history) clear() {
	h.grow(-h.size)
	h.events = nil
}

func (h *history) grow(n int) {
	h.size += n
	h.all.Add(int64(n))
}
