package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// children returns the processes that a process started, with their arguments.
func children(t *testing.T, parent int) []string {
	t.Helper()
	var all []string
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that ended
		}
		for pid := range strings.FieldsSeq(string(text)) {
			line, _ := os.ReadFile("/proc/" + pid + "/cmdline") // it may be gone by now
			all = append(all, pid+" "+string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	slices.Sort(all)
	return all
}

// until waits for something to happen to a relay.
func until(t *testing.T, p *program, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not %s\n%s", what, p.stderr)
		}
	}
}

// says waits until the relay has said something n times.
func (p *program) says(t *testing.T, n int, words string) {
	t.Helper()
	until(t, p, fmt.Sprintf("said %d times: %s", n, words), func() bool { return strings.Count(p.stderr.String(), words) >= n })
}

const (
	saidTaken   = "took the changed configuration file over"
	saidNothing = saidNothingOf
	saidBad     = "the configuration file cannot be used"
)

// setup is a configuration of two servers and two scanners.
func setup(change func(servers, relay map[string]any, scanners []map[string]any)) map[string]any {
	servers := object("a", hostileProgram("echo"), "b", hostileProgram("echo", "b"))
	scanners := []map[string]any{
		object("name", "first", "plugin", "noop"),
		object("name", "second", "plugin", "noop", "mode", "observe"),
	}
	relay := object()
	if change != nil {
		change(servers, relay, scanners)
	}
	relay["scanners"] = scanners
	return object("mcpServers", servers, "relay", relay)
}

func (p *program) configFile() string { return filepath.Join(p.home, "relay.json") }

// rewrite puts another configuration in the place of the relay's, as editors do.
func (p *program) rewrite(t *testing.T, config any) {
	t.Helper()
	text, ok := config.(string)
	if !ok {
		raw, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		text = string(raw)
	}
	fresh := p.configFile() + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, p.configFile()); err != nil {
		t.Fatal(err)
	}
}

func (p *program) hangUp(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// reload runs relay reload for the relay's file and returns what it says.
func (p *program) reload(t *testing.T, terminal *os.File, flags ...string) (said string, code int) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(own, append([]string{"reload", "--config", p.configFile()}, flags...)...)
	cmd.Args[0] = "relay"
	cmd.Env = p.cmd.Env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if terminal != nil {
		cmd.Stdin, cmd.Stderr = terminal, terminal
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), 0
}

// terminal opens a pseudo-terminal on which somebody types.
func terminal(t *testing.T, typed string) (tty *os.File, said *buffer) {
	t.Helper()
	master, tty := openTerminal(t)
	said = &buffer{}
	go func() { _, _ = io.Copy(said, master) }() // ends with the terminal
	if _, err := master.WriteString(typed); err != nil {
		t.Fatal(err)
	}
	return tty, said
}

// openTerminal opens both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (master, tty *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	raw, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	if cerr := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	if tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Skipf("there are no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return master, tty
}

// begin starts a relay by setup and returns it with a client.
func begin(t *testing.T, config map[string]any) (*program, *client) {
	t.Helper()
	p := startProgram(t, config)
	c, err := stdioClient(p, false)
	if err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	c.lists(t, p, "a__", "b__")
	return p, c
}

// lists waits until the tools that the relay lists are those of some servers.
func (c *client) lists(t *testing.T, p *program, prefixes ...string) {
	t.Helper()
	until(t, p, fmt.Sprint("listed: ", prefixes), func() bool {
		m, err := c.send("tools/list", "", []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		for _, prefix := range []string{"a__", "b__", "c__"} {
			if strings.Contains(string(m.Result), `"`+prefix) != slices.Contains(prefixes, prefix) {
				return false
			}
		}
		return true
	})
}

// TestHarmlessChangesAreTakenOver: by SIGHUP and by the watch, with the scanners
// and the server that are as they were.
func TestHarmlessChangesAreTakenOver(t *testing.T) {
	config := setup(func(_, relay map[string]any, _ []map[string]any) { relay["watch"] = false })
	p, c := begin(t, config)
	before := children(t, p.cmd.Process.Pid)
	p.rewrite(t, setup(func(servers, relay map[string]any, scanners []map[string]any) {
		delete(servers, "b")
		scanners[1]["mode"] = "enforce"
		relay["call_timeout"] = "30s"
	}))
	p.hangUp(t)
	p.says(t, 1, saidTaken)
	c.lists(t, p, "a__")
	until(t, p, "ended: the server that was removed", func() bool {
		return len(children(t, p.cmd.Process.Pid)) == len(before)-1
	})
	for _, child := range children(t, p.cmd.Process.Pid) {
		if !slices.Contains(before, child) {
			t.Errorf("started anew: %s", child)
		}
	}
	for _, place := range []string{"mcpServers.b", "relay.scanners[second].mode", "relay.call_timeout", "relay.watch"} {
		if !strings.Contains(p.stderr.String(), place) {
			t.Errorf("nothing is said of %s", place)
		}
	}
	// From now on the file is watched.
	p.rewrite(t, setup(func(servers, relay map[string]any, scanners []map[string]any) {
		delete(servers, "b")
		scanners[1]["mode"] = "enforce"
		relay["call_timeout"] = "31s"
	}))
	p.says(t, 2, saidTaken)
	if got := c.text("a__echo"); strings.HasPrefix(got, "error") {
		t.Errorf("a call: %s", got)
	}
	p.leave(t)
}

// TestTheFileIsChangedBehindTheRelaysBack: nothing of a change that weakens or
// runs something is taken over before somebody types a yes: no process starts,
// no scanner drops, harmless parts of it wait, too.
func TestTheFileIsChangedBehindTheRelaysBack(t *testing.T) {
	p, c := begin(t, setup(nil))
	before := children(t, p.cmd.Process.Pid)
	mark := filepath.Join(p.home, "it-ran")
	grave := map[string]func(servers, relay map[string]any, scanners []map[string]any){
		"mcpServers.c": func(servers, _ map[string]any, _ []map[string]any) {
			servers["c"] = object("command", "touch", "args", []string{mark})
		},
		"mcpServers.a.args": func(servers, _ map[string]any, _ []map[string]any) {
			servers["a"] = object("command", "touch", "args", []string{mark})
		},
		"mcpServers.a.env.SECRET": func(servers, _ map[string]any, _ []map[string]any) {
			servers["a"].(map[string]any)["env"] = object("SECRET", "canary-4711") //nolint:forcetypeassert // it is one
		},
		"relay.scanners[first].plugin": func(_, _ map[string]any, scanners []map[string]any) {
			scanners[0]["plugin"] = "guard"
		},
		"relay.scanners[first].on_error": func(_, _ map[string]any, scanners []map[string]any) {
			scanners[0]["on_error"] = "allow"
		},
		"relay.exceptions": func(_, relay map[string]any, _ []map[string]any) {
			relay["exceptions"] = []any{object("rule", "*")}
		},
		"mcpServers.a.hidden_mode": func(servers, _ map[string]any, _ []map[string]any) {
			servers["a"].(map[string]any)["hidden_mode"] = true //nolint:forcetypeassert // it is one
		},
		"relay.naming": func(_, relay map[string]any, _ []map[string]any) { relay["naming"] = "bare" },
	}
	n := 0
	for place, change := range grave {
		n++
		p.rewrite(t, setup(func(servers, relay map[string]any, scanners []map[string]any) {
			change(servers, relay, scanners)
			delete(servers, "b") // harmless by itself
		}))
		if n%2 == 0 {
			p.hangUp(t)
		}
		p.says(t, n, saidNothing)
		if !strings.Contains(p.stderr.String(), place) {
			t.Errorf("nothing is said of %s", place)
		}
		if after := children(t, p.cmd.Process.Pid); !slices.Equal(before, after) {
			t.Errorf("%s: the processes before:\n%s\nafter:\n%s", place, strings.Join(before, "\n"), strings.Join(after, "\n"))
		}
	}
	p.rewrite(t, `{"mcpServers": {"a": {"command": "touch", "args": ["`+mark+`"]}}, "relay": {"scanner": []}}`)
	p.hangUp(t)
	p.says(t, 1, saidBad)
	if _, err := os.Lstat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Error("what somebody wrote into the file ran")
	}
	if strings.Contains(p.stderr.String(), "canary-4711") {
		t.Error("a value of the file is in the log")
	}
	c.lists(t, p, "a__", "b__")
	// The file as it was is nothing new.
	p.rewrite(t, setup(nil))
	p.hangUp(t)
	if strings.Contains(p.stderr.String(), saidTaken) {
		t.Error("something was taken over")
	}
	p.leave(t)
	recorded, err := os.ReadFile(p.audit)
	if err != nil {
		t.Fatal(err)
	}
	for place := range grave {
		if !regexp.MustCompile(`"event":"config"[^\n]*` + regexp.QuoteMeta(place) + `"[^\n]*"held"`).Match(recorded) {
			t.Errorf("the try to change %s is not in the record", place)
		}
	}
	if bytes.Contains(recorded, []byte("canary-4711")) {
		t.Error("a value of the file is in the record")
	}
}

// TestReloadIsAccepted: by a person on a terminal and by nobody else.
func TestReloadIsAccepted(t *testing.T) {
	p, c := begin(t, setup(nil))
	if said, code := p.reload(t, nil); code != 0 || !strings.Contains(said, "goes by the file as it is") {
		t.Errorf("code %d: %s", code, said)
	}
	changed := setup(func(servers, relay map[string]any, scanners []map[string]any) {
		servers["c"] = hostileProgram("echo", "c")
		delete(servers, "b")
		scanners[0]["plugin"] = "guard"
		relay["naming"] = "bare"
	})
	p.rewrite(t, changed)
	p.says(t, 1, saidNothing)
	if said, code := p.reload(t, nil); code != 0 || !strings.Contains(said, "executes  mcpServers.c") ||
		!strings.Contains(said, "executes  relay.scanners[first].plugin") || !strings.Contains(said, "restart   relay.naming") {
		t.Errorf("code %d: %s", code, said)
	}
	if said, code := p.reload(t, nil, "--json"); code != 0 || !json.Valid([]byte(said)) {
		t.Errorf("code %d: %s", code, said)
	}
	if said, code := p.reload(t, nil, "--accept"); code != exitInvalid || !strings.Contains(said, "terminal") {
		t.Errorf("without a terminal: code %d: %s", code, said)
	}
	tty, said := terminal(t, "n\n")
	if _, code := p.reload(t, tty, "--accept"); code != exitFailed {
		t.Errorf("a no: code %d: %s", code, said)
	}
	c.lists(t, p, "a__", "b__")

	tty, said = terminal(t, "y\n")
	if _, code := p.reload(t, tty, "--accept"); code != 0 {
		t.Fatalf("a yes: code %d: %s\n%s", code, said, p.stderr)
	}
	for _, words := range []string{"executes  mcpServers.c", "[y/N]", "goes by the file now", "relay.naming needs a restart"} {
		until(t, p, "said on the terminal: "+words, func() bool { return strings.Contains(said.String(), words) })
	}
	c.lists(t, p, "a__", "c__")
	if got := c.text("c__echo"); strings.HasPrefix(got, "error") {
		t.Errorf("a call: %s", got)
	}
	if left := strings.Join(children(t, p.cmd.Process.Pid), "\n"); !strings.Contains(left, "guard") {
		t.Errorf("the new scanner does not run:\n%s", left)
	}

	// A scanner that does not work leaves everything as it was.
	broken := filepath.Join(p.home, "broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 7\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.rewrite(t, setup(func(servers, _ map[string]any, scanners []map[string]any) {
		delete(servers, "a")
		scanners[1]["plugin"] = broken
	}))
	var before []string
	until(t, p, "ended: the server that was removed", func() bool {
		before = children(t, p.cmd.Process.Pid)
		return !slices.ContainsFunc(before, func(child string) bool {
			// One that ended and was not waited for yet has no words left.
			return strings.HasSuffix(child, " echo b ") || len(strings.Fields(child)) < 2
		})
	})
	tty, said = terminal(t, "yes\n")
	if _, code := p.reload(t, tty, "--accept"); code != exitFailed {
		t.Errorf("a scanner that does not start: code %d: %s", code, said)
	}
	if after := children(t, p.cmd.Process.Pid); !slices.Equal(before, after) {
		t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	c.lists(t, p, "a__", "c__")
	p.leave(t)
}

// TestReloadUnderLoad: scanners are replaced twice, and servers come and go,
// while clients of both eras call over HTTP. Every call is answered by its
// server, once, and who comes later finds what is configured by then.
func TestReloadUnderLoad(t *testing.T) {
	w := startWeb(t, nil, setup(nil))
	stop := make(chan struct{})
	var working sync.WaitGroup
	var calls atomic.Int64
	for i := range 4 {
		c := w.mustClient(i%2 == 0, w.token)
		working.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := c.text("a__echo"); got != "echo" {
					t.Errorf("a call: %s", got)
					return
				}
				calls.Add(1)
			}
		})
	}
	for n, plugin := range []string{"guard", "noop"} {
		before := calls.Load()
		until(t, w.program, "called", func() bool { return calls.Load() > before+20 })
		w.rewrite(t, setup(func(servers, _ map[string]any, scanners []map[string]any) {
			scanners[0]["plugin"] = plugin
			servers["c"] = hostileProgram("echo", "c", plugin)
		}))
		w.says(t, n+1, saidNothing)
		tty, said := terminal(t, "y\n")
		if _, code := w.reload(t, tty, "--accept"); code != 0 {
			t.Errorf("code %d: %s\n%s", code, said, w.stderr)
		}
		until(t, w.program, "left with one scanner of each kind", func() bool {
			return strings.Count(strings.Join(children(t, w.cmd.Process.Pid), "\n"), "__scanner") == 2
		})
		w.mustClient(n == 0, w.token).lists(t, w.program, "a__", "b__", "c__")
	}
	before := calls.Load()
	until(t, w.program, "called again", func() bool { return calls.Load() > before+20 })
	close(stop)
	working.Wait()
	if log := w.stderr.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the log has errors:\n%s", log)
	}
}

// TestTheTerminalIsClosed: then a hangup is not about the file, and ends a relay
// in the foreground.
func TestTheTerminalIsClosed(t *testing.T) {
	master, tty := openTerminal(t)
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{stderr: &buffer{}, home: t.TempDir()}
	p.rewrite(t, setup(nil))
	p.cmd = exec.Command(own, "run", "--config", p.configFile(), "--listen", "127.0.0.1:0")
	p.cmd.Args[0] = "relay"
	p.cmd.Stdin, p.cmd.Stderr = tty, p.stderr
	run, err := os.MkdirTemp("", "r") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	p.cmd.Env = append(os.Environ(), "HOME="+p.home, "XDG_STATE_HOME="+p.home, "XDG_RUNTIME_DIR="+run)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	p.awaitLog(serving)
	p.rewrite(t, setup(func(_, relay map[string]any, _ []map[string]any) { relay["call_timeout"] = "30s" }))
	p.hangUp(t)
	p.says(t, 1, saidTaken)
	if err := errors.Join(master.Close(), tty.Close()); err != nil {
		t.Fatal(err)
	}
	p.hangUp(t)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended badly: %v\n%s", err, p.stderr)
		}
	case <-time.After(patience):
		t.Errorf("it goes on without a terminal\n%s", p.stderr)
	}
}
