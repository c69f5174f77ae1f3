package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// tick is the unit of the times in /proc/PID/stat: USER_HZ is 100 on Linux.
const tick = time.Second / 100

// Fields of /proc/PID/stat, counted from the state.
const (
	fieldState   = 0
	fieldParent  = 1
	fieldSession = 3
	fieldUser    = 11
	fieldReaped  = 13
	fieldCount   = 15
)

// stat reads /proc/PID/stat from the state on.
func stat(pid int) ([]string, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, false
	}
	// pid (comm) state ppid ...; comm may hold spaces and parentheses.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	return fields, len(fields) >= fieldCount
}

// Tree returns the living processes that descend from root or belong to its
// session: a child whose parent has ended is still found when root leads a
// session.
func Tree(root int) []Proc {
	type process struct{ parent, session int }
	all := map[int]process{}
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil
	}
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		f, ok := stat(pid)
		if !ok || f[fieldState] == "Z" || f[fieldState] == "X" {
			continue
		}
		parent, e1 := strconv.Atoi(f[fieldParent])
		session, e2 := strconv.Atoi(f[fieldSession])
		if e1 == nil && e2 == nil {
			all[pid] = process{parent, session}
		}
	}
	in := map[int]bool{root: true}
	for grown := true; grown; {
		grown = false
		for pid, p := range all {
			if !in[pid] && (in[p.parent] || p.session == root) {
				in[pid], grown = true, true
			}
		}
	}
	var out []Proc
	for pid := range in {
		if _, alive := all[pid]; alive {
			if p, ok := describe(pid); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

func describe(pid int) (Proc, bool) {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return Proc{}, false // it has ended
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		return Proc{}, false
	}
	return Proc{PID: pid, Exe: exe, Args: strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")}, true
}

// CPU returns the user and system time that a process has used. It reads the
// process's CPU clock (nanoseconds) and falls back to /proc/PID/stat (ticks).
func CPU(pid int) time.Duration {
	clock := (^pid)<<3 | 2 // CPUCLOCK_SCHED of that process
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&ts)), 0); errno == 0 {
		return time.Duration(ts.Nano())
	}
	return ticks(pid, fieldUser)
}

// Reaped returns the CPU time of a process's children that have ended, which
// is where a relay that starts a process per call hides its cost.
func Reaped(pid int) time.Duration { return ticks(pid, fieldReaped) }

// ticks adds the user and the system time that begin at a field.
func ticks(pid, field int) time.Duration {
	f, ok := stat(pid)
	if !ok {
		return 0
	}
	user, e1 := strconv.ParseInt(f[field], 10, 64)
	system, e2 := strconv.ParseInt(f[field+1], 10, 64)
	if e1 != nil || e2 != nil {
		return 0
	}
	return time.Duration(user+system) * tick
}

// Self returns the CPU time of this process.
func Self() time.Duration { return CPU(os.Getpid()) }

// Mem reads a process's resident set; it is zero for one that has ended.
func Mem(pid int) (m Memory) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			continue
		}
		switch f[0] {
		case "VmHWM:":
			m.Peak = kb << 10
		case "VmRSS:":
			m.RSS = kb << 10
		}
	}
	return m
}

// ResetPeak sets a process's peak to what is resident now, where permitted.
func ResetPeak(pid int) { _ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) }
