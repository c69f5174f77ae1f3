package process

import (
	"crypto/rand"
	"fmt"
	"io"

	"golang.org/x/sys/windows"
)

// Warden does nothing on Windows, where Job Objects end with the relay.
type Warden struct{}

// StartWarden starts nothing.
func StartWarden(string, []string) (*Warden, error) { return &Warden{}, nil }

// Close does nothing.
func (*Warden) Close() error { return nil }

// PID returns 0.
func (*Warden) PID() int { return 0 }

// RunWarden waits until in ends.
func RunWarden(in io.Reader) error {
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	return nil
}

// HardenSelf does nothing: a Windows process' environment and memory are open
// to the programs of its user, and core dumps are not written by default.
func HardenSelf() error { return nil }

// Watch puts a process that somebody else started into a job, which ends with
// the relay, or with unwatch. What the process started before is not in it.
func (*Warden) Watch(pid int) (unwatch func()) {
	job, err := newJob()
	if err != nil {
		return func() {}
	}
	g := &group{job: job}
	p, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		g.release()
		return func() {}
	}
	defer func() { _ = windows.CloseHandle(p) }()
	_ = windows.AssignProcessToJobObject(job, p) // gone is what we want
	return g.release
}

// Mark returns an entry that means nothing here.
func (w *Warden) Mark() string { return cookieVariable + "=" + w.cookie() }

func (*Warden) cookie() string { return rand.Text() + "/" }
func (*Warden) add(*group)     {}
func (*Warden) remove(*group)  {}
