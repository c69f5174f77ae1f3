package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memory returns the resident memory of a process in bytes.
func memory(pid int) (int, bool) {
	text, err := os.ReadFile(procFile(pid, "status"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(value)[0])
			return kib << 10, err == nil
		}
	}
	return 0, false
}

// tick is the unit of the processor times below /proc, the same everywhere.
const tick = 10 * time.Millisecond

// processorTime returns how long a process has used processors.
func processorTime(pid int) (time.Duration, bool) {
	text, err := os.ReadFile(procFile(pid, "stat"))
	at := bytes.LastIndexByte(text, ')') // the name before it may hold anything
	if err != nil || at < 0 {
		return 0, false
	}
	fields := strings.Fields(string(text[at+1:]))
	if len(fields) < 13 {
		return 0, false
	}
	user, errUser := strconv.ParseInt(fields[11], 10, 64)
	system, errSystem := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errUser == nil && errSystem == nil
}

// listeners returns the addresses on which a process listens.
func listeners(pid int) []string {
	links, err := filepath.Glob(procFile(pid, "fd/*"))
	if err != nil {
		return nil
	}
	mine := map[string]bool{}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				mine[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	var out []string
	for _, table := range []string{"tcp", "tcp6"} {
		eachLine(pid, table, func(f []string) { // sl local remote st ... inode is the tenth
			if len(f) > 9 && f[3] == "0A" && mine[f[9]] {
				out = append(out, "a TCP port: "+f[1])
			}
		})
	}
	eachLine(pid, "unix", func(f []string) { // Num RefCount Protocol Flags Type St Inode Path
		if len(f) > 6 && f[3] == "00010000" && mine[f[6]] {
			path := "a socket without a name"
			if len(f) > 7 {
				path = f[7]
			}
			out = append(out, path)
		}
	})
	return out
}

func eachLine(pid int, table string, f func(fields []string)) {
	file, err := os.Open(procFile(pid, "net/"+table))
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		f(strings.Fields(lines.Text()))
	}
}

func procFile(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
