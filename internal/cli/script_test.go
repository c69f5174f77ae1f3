package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mcp-relay/relay/internal/sandbox"
	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
	"github.com/mcp-relay/relay/scanner"
)

// TestMain lets the test binary be the relay, everything that the relay starts
// of itself, and, under another name, the servers that the scripts put behind
// it.
func TestMain(m *testing.M) {
	if code, ok := helper(os.Args[1:]); ok {
		os.Exit(code)
	}
	if filepath.Base(os.Args[0]) == "hostile" {
		os.Exit(hostileServer(os.Args[1:]))
	}
	if name := filepath.Base(os.Args[0]); name == "acme" || name == "other" {
		scanner.Serve(acmeScanner{})
		os.Exit(0)
	}
	testscript.Main(suite{m}, map[string]func(){"relay": func() { os.Exit(Main()) }})
}

// suite runs the tests with a copy of the test binary as the server's program:
// the relay takes its own file for itself, under whatever name.
type suite struct{ *testing.M }

// programs is the directory of the server's program.
var programs string

func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "relay-scripts-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	own, err := os.Executable()
	if err != nil {
		panic(err)
	}
	text, err := os.ReadFile(own)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hostile"), text, 0o755); err != nil {
		panic(err)
	}
	programs = dir
	return s.M.Run()
}

// TestScripts runs the program as a user does, with real scanner and server
// processes.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
				dir := filepath.Join(env.WorkDir, "."+strings.ToLower(name))
				if err := os.MkdirAll(dir, 0o700); err != nil {
					return err
				}
				env.Setenv(name, dir)
			}
			// Sockets need a short path, and the relay's own directory would be
			// shared by scripts that run at the same time.
			run, err := os.MkdirTemp("", "r") //nolint:usetesting // a socket's path must be short
			if err != nil {
				return err
			}
			env.Defer(func() { _ = os.RemoveAll(run) })
			env.Setenv("XDG_RUNTIME_DIR", run)
			env.Setenv("PATH", programs+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("MARK", fmt.Sprintf("mark-%d-%d", os.Getpid(), time.Now().UnixNano()))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"nochildren":  noChildren,
			"giveaway":    giveAway,
			"scannerprog": scannerProgram,
			"alter":       alter,
			"airs":        emulateAIRS,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			if cond == "sandbox" {
				return sandbox.Available(), nil
			}
			if cond == "landlock" { // with signals
				c, err := sandbox.Open{}.Prepare()
				return err == nil && len(c.Gaps()) == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// nobody is the user and group that giveAway gives a script's files to.
const nobody = 65534

// giveAway gives the script's files to another user, who can then run the
// relay: the super-user may read every process, hardened or not.
func giveAway(ts *testscript.TestScript, _ bool, _ []string) {
	for _, root := range []string{ts.Getenv("WORK"), ts.Getenv("XDG_RUNTIME_DIR")} {
		ts.Check(filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, nobody, nobody)
		}))
	}
	// The programs stay where they are, but he has to get there.
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if strings.HasPrefix(dir, os.TempDir()) {
			ts.Check(os.Chmod(dir, 0o755))
			ts.Check(os.Chmod(filepath.Dir(dir), os.ModeSticky|0o1777))
		}
	}
	ts.Check(os.Chmod(filepath.Dir(ts.Getenv("WORK")), 0o755))
}

// noChildren fails when a process that carries the script's mark in its
// environment is still there.
func noChildren(ts *testscript.TestScript, _ bool, _ []string) {
	mark := ts.Getenv("MARK")
	deadline := time.Now().Add(10 * time.Second)
	for {
		left := marked(mark)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("left behind: %s", strings.Join(left, "; "))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// marked returns the command lines of the processes that were started with the
// mark in their arguments or environment.
func marked(mark string) []string {
	var left []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if strings.Contains(string(environ), mark) || strings.Contains(string(cmdline), mark) {
			left = append(left, strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
	return left
}

// commandLines returns the command lines of all processes.
func commandLines() []string {
	var all []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			all = append(all, string(text))
		}
	}
	return all
}

// emulateAIRS starts an emulator of Prisma AIRS with a configuration in JSON, which
// may be left out, and puts its address into $AIRS. "airs requests N" fails unless
// the one that was started last got so many requests.
func emulateAIRS(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 2 && args[0] == "requests" {
		s, ok := emulators.Load(ts.Getenv("AIRS"))
		if !ok {
			ts.Fatalf("no emulator runs")
		}
		if got := len(s.(*airstest.Server).Take()); strconv.Itoa(got) != args[1] {
			ts.Fatalf("%d requests arrived, not %s", got, args[1])
		}
		return
	}
	c := airstest.Config{Keys: []airstest.Key{{Value: "canary-key-12345", Profile: "tools"}}, Profiles: []airstest.Profile{{Name: "tools"}}}
	if len(args) > 0 {
		ts.Check(json.Unmarshal([]byte(args[0]), &c))
	}
	s, err := airstest.Start("127.0.0.1:0", c)
	ts.Check(err)
	ts.Defer(s.Close)
	emulators.Store(s.URL, s)
	ts.Setenv("AIRS", s.URL)
}

// emulators holds those of all scripts by address.
var emulators sync.Map
