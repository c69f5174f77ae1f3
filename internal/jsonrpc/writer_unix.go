//go:build unix

package jsonrpc

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileOutput writes to a descriptor with single system calls. It does not use
// [os.File.Write], which writes all or blocks.
type fileOutput struct {
	raw syscall.RawConn
	// polled: the descriptor is non-blocking and the runtime can wait for it.
	// Otherwise, as with standard output as it was inherited, a write may block.
	polled bool
	// socket: the descriptor can be told for one call not to block.
	socket bool

	// The call under way. There is one at a time, and it allocates nothing.
	attempt func(fd uintptr) (done bool)
	p       []byte
	n       int
	err     error
	wait    bool
	fds     [1]unix.PollFd
}

func newFileOutput(f *os.File) output {
	raw, err := f.SyscallConn()
	if err != nil {
		return plainOutput{f}
	}
	o := &fileOutput{raw: raw}
	o.attempt = o.step
	err = raw.Control(func(fd uintptr) {
		flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
		o.polled = err == nil && flags&unix.O_NONBLOCK != 0
		_, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE)
		o.socket = err == nil
	})
	if err != nil {
		return plainOutput{f}
	}
	return o
}

func (o *fileOutput) try(p []byte) (int, error) { return o.call(p, false) }

func (o *fileOutput) write(p []byte) (int, error) { return o.call(p, true) }

func (o *fileOutput) call(p []byte, wait bool) (int, error) {
	o.p, o.n, o.err, o.wait = p, 0, nil, wait
	err := o.raw.Write(o.attempt)
	o.p = nil
	switch {
	case o.err != nil:
		err = o.err
	case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
		err = os.ErrClosed // the runtime's own error for it is not exported
	}
	return o.n, err //nolint:wrapcheck // the Writer wraps it
}

// step writes once, or, where only small writes are known not to block, until
// the next one might. It is not done when the runtime is to wait for the
// descriptor and to call it again.
func (o *fileOutput) step(fd uintptr) (done bool) {
	for {
		n, err := o.once(int(fd))
		o.n, o.err = o.n+n, err
		switch {
		case err != nil || o.n == len(o.p):
			return true
		case n > 0 && (o.wait || o.polled || o.socket):
			return true
		case n > 0:
			continue
		case !o.wait:
			return true
		case o.polled:
			return false
		}
		// Somebody who shares the descriptor made it non-blocking.
		if _, o.err = o.writable(int(fd), -1); o.err != nil {
			return true
		}
	}
}

// once is one system call. It returns 0 and no error when it would block.
func (o *fileOutput) once(fd int) (int, error) {
	p := o.p[o.n:]
	small := !o.wait && !o.polled && !o.socket
	if small {
		if ready, err := o.writable(fd, 0); err != nil || !ready {
			return 0, err
		}
		p = p[:min(len(p), pollWrite)]
	}
	for {
		var n int
		var err error
		if o.socket && !o.wait {
			n, err = unix.SendmsgN(fd, p, nil, nil, unix.MSG_DONTWAIT)
		} else {
			n, err = unix.Write(fd, p)
		}
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
func (o *fileOutput) writable(fd, timeout int) (bool, error) {
	for {
		o.fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT} //nolint:gosec // a descriptor is small
		n, err := unix.Poll(o.fds[:], timeout)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		// With POLLERR or POLLHUP the write does not block either; it fails.
		return n > 0, err //nolint:wrapcheck // the Writer wraps it
	}
}
