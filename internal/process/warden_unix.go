//go:build unix

package process

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// wardenPatience bounds how long a write to the warden may take. Its pipe holds
// thousands of lines; a warden that is so far behind is as good as dead.
const wardenPatience = time.Second

// Warden is the relay's side of the warden process. A nil Warden stands for
// none and is valid. Its methods may be called by several goroutines at once.
type Warden struct {
	exe  string
	args []string
	tree string // prefix of the cookies of all children of this relay

	mu     sync.Mutex
	seq    int
	groups map[*group]struct{}
	pipe   *os.File
	proc   *os.Process
	closed bool
}

// StartWarden starts exe with args as a process that calls RunWarden, which is
// the relay's own executable (on Linux /proc/self/exe) with a hidden
// sub-command. Should the warden die, it is started again.
func StartWarden(exe string, args []string) (*Warden, error) {
	w := &Warden{exe: exe, args: args, tree: rand.Text() + "/", groups: map[*group]struct{}{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.launch(); err != nil {
		return nil, err
	}
	return w, nil
}

// launch starts a warden process and tells it what is registered.
func (w *Warden) launch() error {
	sealDescriptors()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("start the warden: %w", err)
	}
	defer func() { _ = null.Close() }()
	r, pipe, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the warden: %w", err)
	}
	defer func() { _ = r.Close() }()
	proc, err := os.StartProcess(w.exe, append([]string{w.exe}, w.args...), &os.ProcAttr{
		Dir: "/",
		// It is one goroutine that mostly waits: a small heap will do. A memory
		// limit below what the runtime itself takes would have it collect all the
		// time, at the cost of everything else that starts.
		Env:   []string{"GOMAXPROCS=1", "GOGC=10", "GOTRACEBACK=none"},
		Files: []*os.File{r, null, null},
		// A session of its own keeps terminal signals and group signals away.
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		_ = pipe.Close()
		return fmt.Errorf("start the warden: %w", err)
	}
	w.pipe, w.proc = pipe, proc
	w.send(verbTree + " " + w.tree)
	for g := range w.groups {
		w.send(g.registration())
	}
	go w.watch(proc)
	return nil
}

// watch starts the warden again when it dies before the relay is done with it.
func (w *Warden) watch(proc *os.Process) {
	_, _ = proc.Wait()
	w.mu.Lock()
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return
	}
	time.Sleep(100 * time.Millisecond) // do not spin when it cannot live
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.proc != proc {
		return
	}
	_ = w.pipe.Close()
	if err := w.launch(); err != nil {
		w.proc, w.pipe = nil, nil
	}
}

// Close tells the warden that the relay is about to end, and waits for it, for
// two seconds at most. What is still registered is ended.
func (w *Warden) Close() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	pipe, proc := w.pipe, w.proc
	already := w.closed
	w.closed, w.pipe = true, nil
	w.mu.Unlock()
	if already || pipe == nil {
		return nil
	}
	if err := pipe.Close(); err != nil {
		return fmt.Errorf("close the warden's pipe: %w", err)
	}
	for deadline := time.Now().Add(linger + 2*endWait); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if errors.Is(proc.Signal(syscall.Signal(0)), os.ErrProcessDone) {
			return nil
		}
	}
	return errors.New("the warden is still ending processes")
}

// PID returns the process id of the warden, or 0.
func (w *Warden) PID() int {
	if w == nil {
		return 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proc == nil {
		return 0
	}
	return w.proc.Pid
}

// cookie returns a fresh cookie for a child.
func (w *Warden) cookie() string {
	if w == nil {
		return rand.Text() + "/"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq++
	return w.tree + strconv.Itoa(w.seq) + "/"
}

// Watch registers a process that somebody else started, as the leader of a
// group of its own, and that nobody has waited for yet: should the relay end
// before unwatch is called, the group is ended. The processes that Mark was given
// to are ended with it even when they left the group, on Linux.
func (w *Warden) Watch(pid int) (unwatch func()) {
	g := &group{pgid: pid, tree: tree{pgid: pid, start: startTime(pid)}}
	w.add(g)
	return func() { w.remove(g) }
}

// Mark returns an entry for the environment of a process that is watched. Its
// descendants that still carry it are ended when the warden is closed, at the
// latest.
func (w *Warden) Mark() string { return cookieVariable + "=" + w.cookie() }

func (w *Warden) add(g *group) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups[g] = struct{}{}
	w.send(g.registration())
}

func (w *Warden) remove(g *group) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.groups, g)
	w.send(verbRemove + " " + strconv.Itoa(g.pgid))
}

// send writes one line. An error means that the warden is gone or stuck; watch
// starts another, which is told everything, so a stuck one is ended here.
func (w *Warden) send(line string) {
	if w.pipe == nil {
		return
	}
	if err := w.pipe.SetWriteDeadline(time.Now().Add(wardenPatience)); err != nil {
		return // closed
	}
	if _, err := w.pipe.WriteString(line + "\n"); err != nil {
		_ = w.proc.Kill() // gone already is fine
	}
}

func (g *group) registration() string {
	return fmt.Sprintf("%s %d %d", verbAdd, g.pgid, g.tree.start)
}
