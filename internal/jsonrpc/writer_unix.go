//go:build unix

package jsonrpc

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileOutput writes to a descriptor with single system calls.
type fileOutput struct {
	raw syscall.RawConn
	// polled: the descriptor is non-blocking and the runtime can wait for it.
	// Otherwise (standard output as it was inherited) a write may block.
	polled bool
}

func newFileOutput(f *os.File) output {
	raw, err := f.SyscallConn()
	if err != nil {
		return plainOutput{f}
	}
	o := fileOutput{raw: raw}
	err = raw.Control(func(fd uintptr) {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		o.polled = err == nil && flags&unix.O_NONBLOCK != 0
	})
	if err != nil {
		return plainOutput{f}
	}
	return o
}

func (o fileOutput) try(p []byte) (int, error) {
	return o.with(func(fd int) (int, error, bool) {
		if o.polled {
			n, err := writeOnce(fd, p)
			return n, err, true
		}
		written := 0
		for written < len(p) {
			ready, err := writable(fd, 0)
			if err != nil || !ready {
				return written, err, true
			}
			n, err := writeOnce(fd, p[written:min(len(p), written+pollWrite)])
			written += n
			if err != nil || n == 0 {
				return written, err, true
			}
		}
		return written, nil, true
	})
}

func (o fileOutput) write(p []byte) (int, error) {
	return o.with(func(fd int) (int, error, bool) {
		for {
			n, err := writeOnce(fd, p)
			if n > 0 || err != nil {
				return n, err, true
			}
			if o.polled {
				return 0, nil, false
			}
			// Somebody who shares the descriptor made it non-blocking.
			if _, err := writable(fd, -1); err != nil {
				return 0, err, true
			}
		}
	})
}

// with calls do with the descriptor, again when it is writable if do says that
// it is not done.
func (o fileOutput) with(do func(fd int) (n int, err error, done bool)) (int, error) {
	var n int
	var writeErr error
	err := o.raw.Write(func(fd uintptr) bool {
		var done bool
		n, writeErr, done = do(int(fd))
		return done
	})
	if writeErr == nil {
		writeErr = err
	}
	return n, writeErr
}

// writeOnce is one write that took something, failed, or would have blocked
// (0, nil).
func writeOnce(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Write(fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return 0, nil
		default:
			return max(n, 0), err //nolint:wrapcheck // the Writer wraps it
		}
	}
}

// writable waits up to timeout milliseconds (-1: for ever) until a write of
// pollWrite bytes does not block.
func writable(fd, timeout int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}} //nolint:gosec // a descriptor is small
	for {
		n, err := unix.Poll(fds, timeout)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		// With POLLERR or POLLHUP the write does not block either; it fails.
		return n > 0, err //nolint:wrapcheck // the Writer wraps it
	}
}
