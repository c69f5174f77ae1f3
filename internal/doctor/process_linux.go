package doctor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Relays looks for other relays of this user that run from a program file that is
// no longer there, as after an upgrade: they are of another version until their
// clients start them anew. own are the base names under which the program is known.
func Relays(own []string) Report {
	var old []string
	running := 0
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || filepath.Base(dir) == strconv.Itoa(os.Getpid()) {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() && stat.Uid != 0 {
			continue
		}
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue
		}
		words := strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00")
		if !isRelay(words, own) {
			continue
		}
		running++
		// A relay hides its program file from other processes of its user; where
		// it can be read, it tells of an upgrade.
		if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil && strings.HasSuffix(exe, " (deleted)") {
			old = append(old, filepath.Base(dir))
		}
	}
	c := Check{Area: Processes, Status: OK, What: fmt.Sprintf("%d other relays run", running)}
	if len(old) > 0 {
		c.Status = Warn
		c.What = fmt.Sprintf("%d relays run from a program that was replaced since: processes %s", len(old), strings.Join(old, ", "))
		c.Do = "restart their clients, so that the new version judges"
	}
	return Report{c}
}

// isRelay reports whether a command line is that of a relay that serves.
func isRelay(words, own []string) bool {
	for _, name := range own {
		if filepath.Base(words[0]) == name {
			return len(words) == 1 || !strings.HasPrefix(words[1], "__")
		}
	}
	return false
}
