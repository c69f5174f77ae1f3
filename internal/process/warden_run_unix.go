//go:build unix

package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The lines that the relay writes to the warden: "tree COOKIE", once and first;
// "+ PGID START" and "- PGID" for each group.
const (
	verbTree   = "tree"
	verbAdd    = "+"
	verbRemove = "-"
)

// RunWarden is the warden process: it reads what the relay registers from in
// and, when in ends, ends every group that is still registered and whatever else
// of the relay's children it finds. It returns when nothing is left, or with an
// error when something would not go. It changes how the process handles signals,
// so nothing else should run in it.
func RunWarden(in io.Reader) error {
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGPIPE)
	debug.FreeOSMemory() // what the program's start left behind
	trees, err := follow(in)
	return errors.Join(err, end(trees))
}

// follow reads registrations until in ends and returns what is registered then.
func follow(in io.Reader) ([]*tree, error) {
	var all tree
	groups := map[int]*tree{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		verb, rest, _ := strings.Cut(lines.Text(), " ")
		t := &tree{}
		switch verb {
		case verbTree:
			all.cookie = rest
		case verbAdd:
			if _, err := fmt.Sscan(rest, &t.pgid, &t.start); err == nil && t.pgid > 1 {
				groups[t.pgid] = t
			}
		case verbRemove:
			if _, err := fmt.Sscan(rest, &t.pgid); err == nil {
				delete(groups, t.pgid)
			}
		default: // a later relay's word; not ours to act on
		}
	}
	trees := []*tree{&all}
	for _, t := range groups {
		trees = append(trees, t)
	}
	if err := lines.Err(); err != nil {
		return trees, fmt.Errorf("read registrations: %w", err)
	}
	return trees, nil
}

// end asks every tree to end, gives them a second and kills what is left.
func end(trees []*tree) error {
	signalAll(trees, unix.SIGTERM)
	deadline := time.Now().Add(linger)
	for pause := 5 * time.Millisecond; time.Now().Before(deadline); pause = min(2*pause, 50*time.Millisecond) {
		if allEmpty(trees) {
			return nil
		}
		time.Sleep(pause)
	}
	deadline = deadline.Add(endWait)
	for pause := 5 * time.Millisecond; time.Now().Before(deadline); pause = min(2*pause, 50*time.Millisecond) {
		signalAll(trees, unix.SIGKILL)
		time.Sleep(pause)
		if allEmpty(trees) {
			return nil
		}
	}
	return errors.New("some processes could not be ended")
}

func signalAll(trees []*tree, sig syscall.Signal) {
	table := processes(oldest(trees))
	for _, t := range trees {
		t.signal(table, sig)
	}
}

func allEmpty(trees []*tree) bool {
	table := processes(oldest(trees))
	for _, t := range trees {
		if !t.empty(table) {
			return false
		}
	}
	return true
}

// oldest returns the earliest start of any leader: nothing older is of interest.
// A tree without a group has no start of its own.
func oldest(trees []*tree) uint64 {
	var since uint64
	for _, t := range trees {
		if t.pgid != 0 && (since == 0 || t.start < since) {
			since = t.start
		}
	}
	return since
}
