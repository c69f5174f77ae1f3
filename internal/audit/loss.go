package audit

import (
	"fmt"
	"time"
)

// complainEvery is how often lost records are reported.
const complainEvery = time.Minute

// missed counts records that could not be written and says what that means.
// l.mu is held.
func (l *Log) missed(records int, err error) error {
	n := uint64(max(records, 0))
	l.lost += n
	l.unsaid += n
	l.failing = true
	if now := time.Now(); l.complained.IsZero() || now.Sub(l.complained) >= complainEvery {
		l.complained = now
		l.logger.Error("audit records are being lost", "error", err, "path", l.path, "lost", l.lost, "on_error", string(l.onError))
	}
	if l.onError == Block {
		return fmt.Errorf("writing the audit record: %w", err)
	}
	return nil
}
