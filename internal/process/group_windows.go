package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group is a Job Object: what is in it cannot leave it, and all of it ends when
// the last handle to it closes, which the kernel does when the relay dies.
type group struct {
	mu  sync.Mutex
	job windows.Handle // 0 once released
}

// launch starts the child suspended, puts it into its job and lets it run.
func launch(spec Spec, files []*os.File, _ string) (*os.Process, *group, error) {
	if err := checkBatch(spec); err != nil {
		return nil, nil, err
	}
	job, err := newJob()
	if err != nil {
		return nil, nil, err
	}
	g := &group{job: job}
	proc, err := spec.begin(spec.Path, &os.ProcAttr{
		Dir: spec.Dir, Env: spec.Env, Files: files,
		Sys: &syscall.SysProcAttr{
			HideWindow:    true,
			CreationFlags: windows.CREATE_SUSPENDED | windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW,
		},
	})
	if err != nil {
		g.release()
		return nil, nil, fmt.Errorf("execute: %w", err)
	}
	var assigned error
	err = proc.WithHandle(func(handle uintptr) {
		assigned = windows.AssignProcessToJobObject(job, windows.Handle(handle))
	})
	if err = errors.Join(err, assigned); err == nil {
		err = resume(uint32(proc.Pid))
	}
	if err != nil {
		_ = proc.Kill()
		_, _ = proc.Wait()
		g.release()
		return nil, nil, fmt.Errorf("put the process into its job: %w", err)
	}
	return proc, g, nil
}

func newJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, fmt.Errorf("create a job object: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{
			LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
		},
	}
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		_ = windows.CloseHandle(job)
		return 0, fmt.Errorf("limit a job object: %w", err)
	}
	return job, nil
}

// resume lets the threads of a suspended process run; it has exactly one.
func resume(pid uint32) error {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != pid {
			continue
		}
		thread, err := windows.OpenThread(windows.THREAD_SUSPEND_RESUME, false, entry.ThreadID)
		if err != nil {
			return fmt.Errorf("open a thread: %w", err)
		}
		_, err = windows.ResumeThread(thread)
		_ = windows.CloseHandle(thread)
		if err != nil {
			return fmt.Errorf("resume a thread: %w", err)
		}
		return nil
	}
	return fmt.Errorf("find the thread of process %d: %w", pid, err)
}

// checkBatch refuses arguments that cmd.exe would read as more than text: it
// parses the command line of a batch file again, by rules that no quoting meets.
func checkBatch(spec Spec) error {
	switch strings.ToLower(filepath.Ext(spec.Path)) {
	case ".bat", ".cmd":
	default:
		return nil
	}
	for _, arg := range spec.Args {
		if strings.ContainsAny(arg, "\"%!^&|<>\r\n") {
			return fmt.Errorf("argument %q cannot be passed to a batch file safely: remove \" %% ! ^ & | < > from it", arg)
		}
	}
	return nil
}

func (g *group) find() {}

// terminate ends the job: Windows has no polite request for it. Closing stdin,
// which Stop does first, is the polite way.
func (g *group) terminate() { g.kill() }

func (g *group) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.job != 0 {
		_ = windows.TerminateJobObject(g.job, 1) // gone is what we want
	}
}

// empty ends what is left of the job and reports true: termination is complete
// for every process in it.
func (g *group) empty() bool {
	g.kill()
	return true
}

func (g *group) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.job != 0 {
		_ = windows.CloseHandle(g.job)
		g.job = 0
	}
}

// sealDescriptors does nothing: only the three pipes are inherited, by list.
func sealDescriptors() {}
