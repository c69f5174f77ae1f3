package relay

import (
	"context"
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// herald has what a server says on one stream judged, and delivers it in order:
// a notification is judged at once while nothing else is, else together with
// the others that come meanwhile. A scanner that takes longer than the server
// takes to speak so costs one scan for many notifications. What says something is
// judged with the end of what was told before.
type herald struct {
	gate *scan.Gate
	lane *lane

	mu      sync.Mutex
	busy    bool
	waiting []*note
	apart   int    // how many that wait are judged on their own
	recent  recent // of the notifications that passed
}

// note is a notification on its way through a herald.
type note struct {
	ctx     context.Context //nolint:containedctx // it waits with the note
	subject scan.Subject
	// deliver gets what passed, in the order of the notes.
	deliver func(c peer.Cleared)
	place   *slot
}

// maxTogether bounds how many notes are judged at once.
const maxTogether = 64

// tell takes the next notification of the stream. It waits while too many of
// them are on their way: whoever reads the stream then reads no more.
func (h *herald) tell(n *note) {
	n.place = h.lane.reserve()
	h.mu.Lock()
	if h.busy {
		h.waiting = append(h.waiting, n)
		h.mu.Unlock()
		return
	}
	h.busy = true
	h.mu.Unlock()
	h.judge(n)
}

// judge has one note judged, and then what came meanwhile.
func (h *herald) judge(n *note) {
	if h.follows(n) {
		h.judgeTogether([]*note{n})
		return
	}
	h.gate.Judge(n.ctx, &n.subject, func(d scan.Decision) {
		h.fill(n, d.Outcome == scan.Passed, d.Cleared)
		h.goOn()
	})
}

// goOn has what waits judged, or lets the next note be judged at once.
func (h *herald) goOn() {
	h.mu.Lock()
	n := min(len(h.waiting), maxTogether)
	if h.apart > 0 {
		h.apart--
		n = 1
	}
	for i := range n {
		// What only looks like a notification meets the scanners of another phase.
		if h.waiting[i].subject.Content.Phase != verdict.Notification {
			n = max(i, 1)
			break
		}
	}
	batch := h.waiting[:n:n]
	h.waiting = h.waiting[n:]
	h.busy = n > 0
	h.mu.Unlock()
	switch {
	case n == 1:
		h.judge(batch[0])
	case n > 1:
		h.judgeTogether(batch)
	}
}

// follows reports whether a note says something after others did.
func (h *herald) follows(n *note) bool {
	c := &n.subject.Content
	h.mu.Lock()
	said := len(h.recent.texts) > 0
	h.mu.Unlock()
	return said && !n.subject.Hidden && c.Phase == verdict.Notification && len(texts(nil, c.Data, 0)) > 0 &&
		h.gate.Covers(c.Origin.Server, verdict.Notification)
}

// together is the member of the content that holds notes judged at once.
const together = "notifications"

// judgeTogether has several notes judged as one content. A block that concerns
// some of them drops those only.
func (h *herald) judgeTogether(batch []*note) {
	origin := &batch[0].subject.Content.Origin
	if batch[0].subject.Hidden || !h.gate.Covers(origin.Server, verdict.Notification) {
		// Without a scanner there is nothing to save, and the gate reduces each
		// notification to what its method may say without one.
		h.judgeEach(batch)
		h.goOn()
		return
	}
	h.mu.Lock()
	body := h.recent.append([]byte{'{'})
	h.mu.Unlock()
	body = append(body, `"`+together+`":[`...)
	for i, n := range batch {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"method":`...)
		body = jsonrpc.AppendString(body, n.subject.Content.Origin.Method)
		if len(n.subject.Content.Data) > 0 {
			body = append(append(body, `,"params":`...), n.subject.Content.Data...)
		}
		body = append(body, '}')
	}
	s := &scan.Subject{Part: peer.Params, Catalogue: together, Content: batch[0].subject.Content}
	s.Content.Data = append(body, "]}"...)
	s.Until = untilAll(batch)
	// Not the context of one of them: a request that is cancelled must not take
	// the verdict of others away. The scanner has its own time limit.
	h.gate.Judge(context.WithoutCancel(batch[0].ctx), s, func(d scan.Decision) {
		if d.Outcome == scan.Blocked && len(batch) > 1 {
			// Nothing says which of them it was.
			h.judgeInTurn(batch)
			return
		}
		h.fillAll(batch, &d)
		h.goOn()
	})
}

// judgeInTurn has every note judged on its own, each with what passed before it,
// and then what came meanwhile.
func (h *herald) judgeInTurn(batch []*note) {
	h.mu.Lock()
	h.waiting = append(batch[1:len(batch):len(batch)], h.waiting...)
	h.apart = len(batch) - 1
	h.mu.Unlock()
	h.judge(batch[0])
}

// judgeEach has every note judged on its own.
func (h *herald) judgeEach(batch []*note) {
	for _, n := range batch {
		h.gate.Judge(n.ctx, &n.subject, func(d scan.Decision) { h.fill(n, d.Outcome == scan.Passed, d.Cleared) })
	}
}

// fillAll delivers what passed of notes that were judged together.
func (h *herald) fillAll(batch []*note, d *scan.Decision) {
	i, withheld := 0, d.Withheld
	if d.Outcome == scan.Passed {
		list, _ := jsonrpc.Member(d.Cleared.Body(), together)
		for element := range jsonrpc.Elements(list) {
			if i >= len(batch) {
				break
			}
			passed := len(withheld) == 0 || withheld[0] != i
			if !passed {
				withheld = withheld[1:]
			}
			params, _ := jsonrpc.Member(element, "params")
			// The method comes from the note: it is a plain word, and no redaction
			// may make another of it.
			h.fill(batch[i], passed, h.gate.Author(peer.Params, batch[i].subject.Content.Origin.Method, params))
			i++
		}
	}
	for ; i < len(batch); i++ {
		h.fill(batch[i], false, peer.Cleared{})
	}
}

func (h *herald) fill(n *note, passed bool, c peer.Cleared) {
	if n.subject.Content.Phase == verdict.Notification && !n.subject.Hidden {
		h.mu.Lock()
		if passed {
			h.recent.passed(c.Body())
		} else {
			h.recent.refuse()
		}
		h.mu.Unlock()
	}
	h.lane.fill(n.place, func() {
		if passed {
			n.deliver(c)
		}
	})
}

// untilAll waits for all that notes wait for; nil: for nothing.
func untilAll(batch []*note) func() bool {
	var waits []func() bool
	for _, n := range batch {
		if n.subject.Until != nil {
			waits = append(waits, n.subject.Until)
		}
	}
	if waits == nil {
		return nil
	}
	return func() bool {
		all := true
		for _, wait := range waits {
			all = wait() && all
		}
		return all
	}
}
