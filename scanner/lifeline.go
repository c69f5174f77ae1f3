package scanner

import (
	"context"
	"io"
	"os"
	"time"
)

// farewell is how long a scanner may flush after the relay is gone.
const farewell = 2 * time.Second

// exitWithRelay ends the process when the relay is gone. The relay holds the
// other end of standard input and never writes to it; the system closes it
// however the relay dies. A terminal or null device is nobody's lifeline.
func exitWithRelay(s *server, stdin *os.File) {
	if info, err := stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
		return
	}
	_, _ = io.Copy(io.Discard, stdin)
	s.log.Debug("the relay closed its end, exiting")
	s.farewell()
	os.Exit(0)
}

// farewell gives the scanner a moment to flush.
func (s *server) farewell() {
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := s.drain(ctx); err != nil {
		s.log.Warn("not everything was flushed", "error", err)
	}
}
