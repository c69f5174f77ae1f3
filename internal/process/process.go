package process

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	// linger is how long what is left of a group may live after its leader
	// exited, and after it was asked to end.
	linger = time.Second
	// endWait bounds how long Kill and Stop wait for the kernel to end a group;
	// only a process stuck in the kernel takes longer.
	endWait = 2 * time.Second
	// readWait is how long a reader may go on after everything of the child is
	// gone; it matters only if a process that escaped holds the pipe.
	readWait = time.Second
)

// Spec says what to start.
type Spec struct {
	Path string   // program; a name without separator is looked up in Env's PATH, see LookPath
	Args []string // without argv[0]
	Name string   // for errors; Path when empty
	Dir  string   // working directory; the relay's own when empty
	Env  []string // the complete environment; nothing is inherited
	// File, when set, is executed instead of the file that Path names, so that
	// the bytes that were checked are the ones that run. It must be open for
	// reading. Only Linux can do this, and not for scripts, whose interpreter
	// opens Path itself: elsewhere Path is executed. File stays the caller's.
	File *os.File
	// Around, when set, is given what starts the child and calls it on the thread
	// that the child is to descend from, at most once. When it fails without
	// having called it, its error is that of Start.
	Around func(start func()) error
}

// begin starts a program, inside Around when there is one.
func (s *Spec) begin(path string, attr *os.ProcAttr) (*os.Process, error) {
	argv := append([]string{s.Path}, s.Args...)
	if s.Around == nil {
		return os.StartProcess(path, argv, attr) //nolint:wrapcheck // launch says what was attempted
	}
	var proc *os.Process
	err := errors.New("nothing was started")
	if aerr := s.Around(func() { proc, err = os.StartProcess(path, argv, attr) }); aerr != nil && proc == nil {
		return nil, aerr
	}
	return proc, err
}

// ExitError says how a process ended when it did not end with status 0.
type ExitError struct {
	Name   string
	Code   int    // exit status, or -1 when a signal ended the process
	Detail string // as the system describes it: "exit status 1", "signal: killed"
}

// Error describes the end of the process.
func (e *ExitError) Error() string { return e.Name + ": " + e.Detail }

// Process is a started child and all that belongs to its group. Its methods may
// be called by several goroutines at once.
type Process struct {
	name                  string
	proc                  *os.Process
	stdin, stdout, stderr *os.File
	group                 *group
	warden                *Warden
	done, gone, hurry     chan struct{}
	hurryOnce             sync.Once
	exit                  error // set before done is closed
}

// Start starts the child that spec describes in a group of its own. With a
// warden, the group ends no later than a moment after the relay does; w may be
// nil for a child that the caller surely outlives.
func Start(spec Spec, w *Warden) (*Process, error) {
	if spec.Name == "" {
		spec.Name = spec.Path
	}
	path, err := LookPath(spec.Path, spec.Env)
	if err != nil {
		return nil, err
	}
	spec.Path = path
	sealDescriptors()

	pipes, err := openPipes()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	cookie := w.cookie()
	spec.Env = withCookie(spec.Env, cookie)
	proc, grp, err := launch(spec, pipes.child[:], cookie)
	pipes.closeChild()
	if err != nil {
		pipes.closeParent()
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	w.add(grp)

	p := &Process{
		name: spec.Name, proc: proc, group: grp, warden: w,
		stdin: pipes.parent[0], stdout: pipes.parent[1], stderr: pipes.parent[2],
		done: make(chan struct{}), gone: make(chan struct{}), hurry: make(chan struct{}),
	}
	go p.reap()
	return p, nil
}

// Stdin returns the write end of the child's standard input. Deadlines work on
// all three pipes, except on Windows. It is closed when the leader has exited.
func (p *Process) Stdin() *os.File { return p.stdin }

// Stdout returns the read end of the child's standard output. The caller reads
// it to its end and closes it. Reads fail one second after the whole group is
// gone at the latest.
func (p *Process) Stdout() *os.File { return p.stdout }

// Stderr returns the read end of the child's standard error; see Stdout.
func (p *Process) Stderr() *os.File { return p.stderr }

// PID returns the process id of the leader, which is also the group's id.
func (p *Process) PID() int { return p.proc.Pid }

// Done returns a channel that is closed when the leader has exited. Others of
// its group may live for up to a second more; Kill and Stop wait for them.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitError returns how the leader ended: nil while it runs or when it ended
// with status 0, otherwise an *ExitError.
func (p *Process) ExitError() error {
	select {
	case <-p.done:
		return p.exit
	default:
		return nil
	}
}

// Terminate asks the whole group to end (SIGTERM) and returns at once. Windows
// knows no such request: there it is Kill without the waiting.
func (p *Process) Terminate() { p.group.terminate() }

// Kill ends the whole group at once and waits until it is gone, for 2 s at most.
func (p *Process) Kill() {
	p.hurryOnce.Do(func() { close(p.hurry) })
	p.group.kill()
	waitFor(p.gone, endWait)
}

// Stop ends the child in order: it closes stdin and waits up to grace, sends
// SIGTERM to the group and waits up to grace again, then kills the group. It
// returns when nothing is left, or 2 s after the last step.
func (p *Process) Stop(grace time.Duration) {
	p.group.find()
	_ = p.stdin.Close() // already closed is fine
	if !waitFor(p.done, grace) {
		p.Terminate()
		if !waitFor(p.done, grace) {
			p.Kill()
			return
		}
	}
	waitFor(p.gone, linger+endWait)
}

// reap waits for the leader and then ends what is left of its group.
func (p *Process) reap() {
	state, err := p.proc.Wait()
	switch {
	case err != nil:
		p.exit = &ExitError{Name: p.name, Code: -1, Detail: err.Error()}
	case !state.Success():
		p.exit = &ExitError{Name: p.name, Code: state.ExitCode(), Detail: state.String()}
	}
	close(p.done)
	_ = p.stdin.Close()
	p.clear()
	p.group.release()
	p.warden.remove(p.group)
	deadline := time.Now().Add(readWait)
	for _, f := range []*os.File{p.stdout, p.stderr} {
		if err := f.SetReadDeadline(deadline); err != nil && !errors.Is(err, os.ErrClosed) {
			continue // no deadlines on this system; there the group ends all holders of the pipe
		}
	}
	close(p.gone)
}

// clear ends what the leader left behind: SIGTERM, a second, SIGKILL.
func (p *Process) clear() {
	if p.group.empty() {
		return
	}
	p.group.terminate()
	deadline := time.Now().Add(linger)
	for pause := 2 * time.Millisecond; time.Now().Before(deadline); pause = min(2*pause, 100*time.Millisecond) {
		if waitFor(p.hurry, pause) {
			break
		}
		if p.group.empty() {
			return
		}
	}
	for pause := time.Millisecond; pause < time.Second; pause *= 2 {
		p.group.kill()
		time.Sleep(pause)
		if p.group.empty() {
			return
		}
	}
}

// waitFor waits until c is closed, for d at most, and reports whether it was.
func waitFor(c <-chan struct{}, d time.Duration) bool {
	select {
	case <-c:
		return true
	default:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c:
		return true
	case <-t.C:
		return false
	}
}
