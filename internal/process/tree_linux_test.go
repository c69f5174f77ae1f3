package process

import (
	"os"
	"testing"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	raw := []byte("77 (a) b (c) Z 1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n")
	p, ok := parseStat(77, raw)
	if want := (proc{pid: 77, ppid: 1, pgrp: 2, start: 12345, zombie: true}); !ok || p != want {
		t.Errorf("got %+v, %v", p, ok)
	}
	if own, ok := readStat(os.Getpid()); !ok || own.ppid != os.Getppid() || own.start == 0 || own.zombie {
		t.Errorf("own row: %+v, %v", own, ok)
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("77 (sh) S 1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n"))
	f.Add([]byte(") "))
	f.Add([]byte("1 (x)"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if p, ok := parseStat(1, raw); ok && p.pid != 1 {
			t.Errorf("pid changed to %d", p.pid)
		}
	})
}
