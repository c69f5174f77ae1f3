//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// group is a process group and, on Linux, what left it.
type group struct {
	pgid int

	mu       sync.Mutex
	tree     tree
	released bool // the group is empty and its id may belong to others
}

// launch starts the child as the leader of a new group.
func launch(spec Spec, files []*os.File, cookie string) (*os.Process, *group, error) {
	path := spec.Path
	if spec.File != nil {
		path = openPath(spec.File, path)
	}
	proc, err := spec.begin(path, &os.ProcAttr{
		Dir: spec.Dir, Env: spec.Env, Files: files,
		Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	runtime.KeepAlive(spec.File)
	if err != nil {
		return nil, nil, fmt.Errorf("execute: %w", err)
	}
	// The leader is not reaped yet, so the id is surely its own.
	start := startTime(proc.Pid)
	return proc, &group{pgid: proc.Pid, tree: tree{pgid: proc.Pid, start: start, cookie: cookie}}, nil
}

// find takes note of the processes that belong to the group now, so that they
// are still known when their parents are gone.
func (g *group) find() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.released {
		g.tree.find(processes(g.tree.start))
	}
}

func (g *group) terminate() { g.signal(unix.SIGTERM) }
func (g *group) kill()      { g.signal(unix.SIGKILL) }

func (g *group) signal(sig syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.released {
		g.tree.signal(processes(g.tree.start), sig)
	}
}

// empty reports whether nothing is left of the group. The leader must have been
// reaped: its own status is never taken here.
func (g *group) empty() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	// Where the relay is process 1 of a container, orphans are its children.
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-g.pgid, &status, unix.WNOHANG, nil)
		if pid <= 0 && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	return g.tree.empty(processes(g.tree.start))
}

func (g *group) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.released = true
}
