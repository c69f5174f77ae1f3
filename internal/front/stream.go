package front

import (
	"strconv"
	"strings"
)

// stream carries what belongs to one request of a legacy client, or, as number
// 0, what belongs to none. Its session's lock guards it.
type stream struct {
	number uint64
	seq    uint64 // number of its last event
	from   uint64 // events up to this one are not kept any more
	kept   int    // how many of its events are kept
	q      *queue // nil while nobody reads
	// opened: its answer is a stream of events, so the client knows ids.
	opened bool
	// over: nothing is added any more.
	over bool
	// torn: its client was not there when an event was dropped.
	torn bool
	// only: the client takes nothing but the answer.
	only bool
}

// parseEventID reads the id of an event: see events.send.
func parseEventID(id string) (number, seq uint64, ok bool) {
	a, b, _ := strings.Cut(id, "-")
	number, err := strconv.ParseUint(a, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	seq, err = strconv.ParseUint(b, 10, 64)
	return number, seq, err == nil
}
