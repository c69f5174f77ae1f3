package plugin

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	// runPrefix begins the name of a child's run directory.
	runPrefix = "s-"
	// socketName is as long as the longest name that go-plugin gives a socket.
	socketName = "/plugin1234567890"
	// maxSocketPath is what the smallest system allows for a socket's address.
	maxSocketPath = 103
	// lockPatience is how long other relays may take to make or sweep.
	lockPatience = time.Second
)

// runDir is the directory of one child, the only place where a socket of it is
// accepted. Its lock tells other relays that it is in use.
type runDir struct {
	path string
	held *os.File
}

// newRunDir makes a directory for one child in parent.
func newRunDir(parent string) (*runDir, error) {
	parent, err := openParent(parent)
	if err != nil {
		return nil, err
	}
	all, err := os.Open(parent)
	if err != nil {
		return nil, fmt.Errorf("open the run directory: %w", err)
	}
	defer all.Close()
	lock(all, lockPatience) // nobody sweeps between making and locking
	path := filepath.Join(parent, runPrefix+strings.ToLower(rand.Text()[:8]))
	if runtime.GOOS != "windows" && len(path)+len(socketName) > maxSocketPath {
		return nil, fmt.Errorf("the run directory %s is too long for a socket: choose one of at most %d bytes",
			parent, maxSocketPath-len(socketName)-len(runPrefix)-9)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, fmt.Errorf("make a run directory: %w", err)
	}
	held, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open a run directory: %w", err)
	}
	lock(held, 0)
	return &runDir{path: path, held: held}, nil
}

// remove deletes the directory and all in it.
func (d *runDir) remove() {
	d.held.Close()
	_ = os.RemoveAll(d.path) // what stays is swept at the next start
}

// openParent returns the directory for run directories, made if need be, and
// refuses one that others can use.
func openParent(path string) (string, error) {
	if path == "" {
		path = filepath.Join(os.TempDir(), "mcp-relay-"+strconv.Itoa(os.Geteuid()))
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find the run directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("make the run directory: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", fmt.Errorf("look at the run directory: %w", err)
	}
	if !info.IsDir() || !ours(info) {
		return "", &PermissionError{Path: path, Reason: "must be a directory of yours and closed to others: remove it or `chmod 700` it"}
	}
	return path, nil
}

// sweep removes the run directories of relays that were killed.
func sweep(parent string) {
	parent, err := openParent(parent)
	if err != nil {
		return // the start of the child reports it
	}
	all, err := os.Open(parent)
	if err != nil {
		return
	}
	defer all.Close()
	if !lock(all, lockPatience) {
		return
	}
	stale, err := filepath.Glob(filepath.Join(parent, runPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range stale {
		if info, err := os.Lstat(path); err != nil || !info.IsDir() {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if lock(f, 0) {
			_ = os.RemoveAll(path) // tried again at the next start
		}
		f.Close()
	}
}
