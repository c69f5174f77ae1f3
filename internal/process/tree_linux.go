package process

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// maxEnviron bounds how much of another process' environment is searched.
const maxEnviron = 1 << 20

// processes lists the processes that started no earlier than since: nothing
// older can belong to a tree whose leader started then.
func processes(since uint64) []proc {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var table []proc
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		p, ok := readStat(pid)
		if !ok || p.start < since {
			continue
		}
		if !p.zombie {
			p.cookie = readCookie(pid)
		}
		table = append(table, p)
	}
	return table
}

// empty reports whether no member is alive.
func (t *tree) empty(table []proc) bool { return len(t.find(table)) == 0 }

// readStat reads /proc/PID/stat. The second field is the name in parentheses,
// which may itself hold spaces and parentheses.
func readStat(pid int) (proc, bool) {
	raw, err := os.ReadFile(procPath(pid, "stat"))
	if err != nil {
		return proc{}, false
	}
	return parseStat(pid, raw)
}

func parseStat(pid int, raw []byte) (proc, bool) {
	end := bytes.LastIndexByte(raw, ')')
	if end < 0 {
		return proc{}, false
	}
	fields := bytes.Fields(raw[end+1:]) // from the third field, the state, on
	const state, ppid, pgrp, start = 0, 1, 2, 19
	if len(fields) <= start {
		return proc{}, false
	}
	p := proc{pid: pid, zombie: fields[state][0] == 'Z' || fields[state][0] == 'X'}
	var errs [3]error
	p.ppid, errs[0] = strconv.Atoi(string(fields[ppid]))
	p.pgrp, errs[1] = strconv.Atoi(string(fields[pgrp]))
	p.start, errs[2] = strconv.ParseUint(string(fields[start]), 10, 64)
	return p, errors.Join(errs[:]...) == nil
}

// startTime returns when the process started, in clock ticks since boot, or 0.
func startTime(pid int) uint64 {
	p, _ := readStat(pid)
	return p.start
}

// readCookie returns the cookie of a process, or "" when it has none or is not
// ours to look at.
func readCookie(pid int) string {
	f, err := os.Open(procPath(pid, "environ"))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxEnviron))
	if err != nil {
		return ""
	}
	for entry := range bytes.SplitSeq(raw, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte(cookieVariable+"=")); ok {
			return string(value)
		}
	}
	return ""
}

func procPath(pid int, file string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), file)
}

// openPath returns a path under which the open file f can be executed, or path
// when f is a script: an interpreter would look for the descriptor in itself.
func openPath(f *os.File, path string) string {
	var magic [2]byte
	if _, err := f.ReadAt(magic[:], 0); err != nil || string(magic[:]) == "#!" {
		return path
	}
	// The forked child looks up its own descriptors; they close on execution.
	return "/proc/self/fd/" + strconv.FormatUint(uint64(f.Fd()), 10)
}

// sealDescriptors keeps descriptors that the relay itself inherited from
// whoever started it from reaching a child. Go's own are sealed already.
func sealDescriptors() {
	if unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	sealListed("/proc/self/fd") // kernels before 5.11
}
