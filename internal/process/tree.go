//go:build unix

package process

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// proc is one row of the system's process table.
type proc struct {
	pid, ppid, pgrp int
	start           uint64 // clock ticks since boot or the like; with pid it names a process for ever
	zombie          bool
	cookie          string
}

// tree names the processes of one child: those in its group, those that carry
// its cookie, and the descendants of either. A tree without a group (pgid 0)
// goes by its cookie alone.
type tree struct {
	pgid   int
	start  uint64 // the leader's; 0 when unknown
	cookie string
	known  map[int]uint64 // start times of members found so far, by process id
}

// recycled reports whether the group's id belongs to a younger process, which it
// can only do when all of the group was gone before.
func (t *tree) recycled(table []proc) bool {
	for _, p := range table {
		if p.pid == t.pgid && t.start != 0 && p.start != t.start {
			return true
		}
	}
	return false
}

// find returns the living members among the processes in table and remembers
// them. The caller itself is never a member.
func (t *tree) find(table []proc) []proc {
	ours := map[int]bool{}
	recycled := t.recycled(table)
	for _, p := range table {
		start, known := t.known[p.pid]
		ours[p.pid] = t.pgid != 0 && p.pgrp == t.pgid && !recycled ||
			t.cookie != "" && strings.HasPrefix(p.cookie, t.cookie) ||
			known && start == p.start
	}
	for grown := true; grown; {
		grown = false
		for _, p := range table {
			if !ours[p.pid] && ours[p.ppid] {
				ours[p.pid], grown = true, true
			}
		}
	}
	self := os.Getpid()
	t.known = map[int]uint64{}
	var members []proc
	for _, p := range table {
		if ours[p.pid] && p.pid != self && !p.zombie {
			members = append(members, p)
			t.known[p.pid] = p.start
		}
	}
	return members
}

// signal sends sig to the group and to every member outside it.
func (t *tree) signal(table []proc, sig syscall.Signal) {
	members := t.find(table)
	if t.pgid != 0 && !t.recycled(table) {
		_ = unix.Kill(-t.pgid, sig) // gone is what we want
	}
	for _, p := range members {
		if p.pgrp != t.pgid || t.pgid == 0 {
			p.signal(sig)
		}
	}
}

// signal sends sig unless the process id was recycled. On Linux FindProcess
// holds the process by a descriptor, so that the check stays true.
func (p proc) signal(sig syscall.Signal) {
	handle, err := os.FindProcess(p.pid)
	if err != nil {
		return
	}
	if startTime(p.pid) == p.start {
		_ = handle.Signal(sig) // gone is what we want
	}
	_ = handle.Release()
}
