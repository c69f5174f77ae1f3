package downstream

import (
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestLastWords asks for the end of standard error while its reader lags behind.
func TestLastWords(t *testing.T) {
	exited := make(chan struct{})
	close(exited)
	for _, tt := range []struct {
		name   string
		exited chan struct{} // nil: the child lives
		lag    time.Duration
		held   bool // the pipe stays open
		want   string
		wait   time.Duration
	}{
		{"at its end", exited, 0, false, "why", 0},
		{"behind", exited, lastWordsTime / 2, false, "why", lastWordsTime / 2},
		{"far behind", exited, 2 * lastWordsTime, false, "", lastWordsTime},
		{"held by another", exited, lastWordsTime / 2, true, "why", lastWordsTime},
		{"living", nil, settleTime / 2, true, "why", settleTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				words := newTail()
				r, w := io.Pipe()
				go func() {
					_, _ = io.WriteString(w, "why")
					if !tt.held {
						_ = w.Close()
					}
				}()
				go func() {
					time.Sleep(tt.lag)
					words.drain(r, quiet())
				}()
				began := time.Now()
				words.settle(tt.exited)
				synctest.Wait()
				if got := words.String(); got != tt.want {
					t.Errorf("kept %q, want %q", got, tt.want)
				}
				if waited := time.Since(began); waited != tt.wait {
					t.Errorf("waited %v of the bubble's time, want %v", waited, tt.wait)
				}
				_ = w.Close()
				<-words.ended
			})
		})
	}
}
