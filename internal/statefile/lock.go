package statefile

import (
	"context"
	"fmt"
	"os"
	"time"
)

// lockPoll is how often it is looked whether a lock is free.
const lockPoll = 20 * time.Millisecond

// Lock waits until nobody else, in whatever process, has the lock of this name,
// which is a file too. The system gives back the lock of a process that dies.
// The error wraps the context's cause when ctx ends first.
func (d *Dir) Lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|openFlags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking a file of the relay: %w", err)
	}
	for {
		taken, err := tryLock(f)
		if taken {
			return func() { _ = f.Close() }, nil // which gives it back
		}
		if err == nil {
			select {
			case <-time.After(lockPoll):
				continue
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		_ = f.Close() // there is nothing to lose
		return nil, fmt.Errorf("locking a file of the relay: %w", err)
	}
}
