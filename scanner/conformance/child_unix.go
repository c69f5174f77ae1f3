//go:build unix

package conformance

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup puts a process into a group of its own, as the relay does.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends a process and all that is in its group.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// groupEmpty reports whether nothing of a process's group is left.
func groupEmpty(p *os.Process) bool { return errors.Is(syscall.Kill(-p.Pid, 0), syscall.ESRCH) }

// interrupt sends what a terminal sends when somebody presses Ctrl-C.
func interrupt(p *os.Process) error { return p.Signal(os.Interrupt) }

// groups tells that this system has process groups and signals.
const groups = true
