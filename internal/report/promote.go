package report

import (
	"fmt"
	"time"
)

// Evidence says whether a scanner that observes could be made to enforce.
type Evidence struct {
	Scanner string   `json:"scanner"`
	Ready   bool     `json:"ready"`
	Against []string `json:"against"` // what speaks against it; empty when ready
}

// What it takes.
const (
	enoughMessages = 200
	mayFail        = 1.0 // percent of messages
	mayStop        = 5.0 // percent of messages: more is hardly what was wanted
)

// Promote weighs what an observing scanner said. timeout is its own, or 0 when it
// is not known.
func (s *Scanner) Promote(timeout time.Duration) Evidence {
	e := Evidence{Scanner: s.Name, Against: []string{}}
	against := func(format string, args ...any) { e.Against = append(e.Against, fmt.Sprintf(format, args...)) }
	if s.Messages < enoughMessages {
		against("it judged %d messages; %d are the least to go by", s.Messages, enoughMessages)
	}
	if share := s.Share(s.Failed); share > mayFail {
		against("it failed on %.2g %% of the messages, which would be held back", share)
	}
	if share := s.Share(s.Block + s.Redact); share > mayStop {
		against("it would have changed or stopped %.2g %% of the messages: look at the rules first", share)
	}
	if timeout > 0 && Of(s.Times.P99) > timeout {
		against("one scan in a hundred takes %s or more, its timeout is %s", Of(s.Times.P99), timeout)
	}
	e.Ready = len(e.Against) == 0
	return e
}
