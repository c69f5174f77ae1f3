package principal

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// How long a change waits for another process to finish its own, and how often
// it looks. A change takes milliseconds.
const (
	lockPatience = 5 * time.Second
	lockRetry    = 20 * time.Millisecond
)

var errLocked = errors.New("another relay is changing the tokens: try again")

// lock keeps all other processes from changing the tokens until unlock is
// called. The system releases the lock of a process that dies.
func lock(dir *os.Root) (unlock func(), err error) {
	f, err := dir.OpenFile(lockFile, os.O_RDWR|os.O_CREATE|openFlags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the tokens: %w", err)
	}
	for end := time.Now().Add(lockPatience); ; time.Sleep(lockRetry) {
		taken, err := tryLock(f)
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("locking the tokens: %w", err)
		}
		if taken {
			return func() { _ = f.Close() }, nil // which releases it
		}
		if time.Now().After(end) {
			_ = f.Close()
			return nil, errLocked
		}
	}
}
