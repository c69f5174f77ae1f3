package front

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// shyLog says what was refused, but not more than once a minute for each
// reason: whoever is refused must not be able to fill the log.
type shyLog struct {
	log *slog.Logger

	mu   sync.Mutex
	last map[string]time.Time
}

func (s *shyLog) refused(reason string) {
	now := time.Now()
	s.mu.Lock()
	said := now.Sub(s.last[reason]) < time.Minute
	if !said {
		if s.last == nil {
			s.last = map[string]time.Time{}
		}
		s.last[reason] = now
	}
	s.mu.Unlock()
	if !said {
		s.log.Warn("refused an HTTP request", slog.String("reason", reason))
	}
}

// lower returns the values in lower case.
func lower(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.ToLower(v)
	}
	return out
}
