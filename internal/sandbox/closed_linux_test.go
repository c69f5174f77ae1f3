//go:build amd64 || arm64

package sandbox

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == modeProbe {
		probe(os.Args[2:])
	}
	if len(os.Args) > 1 && os.Args[1] == modeOld {
		tellWhatIsThere()
	}
	if len(os.Args) > 1 && os.Args[1] == modeShell {
		shell(os.Args[2])
	}
	os.Exit(m.Run())
}

// surroundings makes everything that a probe tries to reach.
func surroundings(t *testing.T) probeArgs {
	t.Helper()
	dir := t.TempDir()
	a := probeArgs{
		parent: os.Getpid(), canary: filepath.Join(dir, "home", "id_rsa"), scratch: filepath.Join(dir, "scratch"),
		socket: filepath.Join(dir, "service"), datagram: filepath.Join(dir, "log"), abstract: "@relay-sandbox-" + t.Name(),
	}
	for _, d := range []string{filepath.Dir(a.canary), a.scratch} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(a.canary, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	tcp := listen(t, "tcp", "127.0.0.1:0")
	a.tcp = tcp.Addr().String()
	listen(t, "unix", a.socket)
	listen(t, "unix", a.abstract)
	for network, address := range map[string]string{"udp": "127.0.0.1:0", "unixgram": a.datagram} {
		c, err := net.ListenPacket(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if network == "udp" {
			a.udp = c.LocalAddr().String()
		}
	}
	return a
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// confined runs the test binary under a confinement and returns what it printed.
func confined(t *testing.T, c *Confinement, args ...string) string {
	t.Helper()
	cmd := exec.Command(self(), args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "GORACE=atexit_sleep_ms=0") // the race detector makes an exit take a second
	err := error(nil)
	if rerr := c.Run(func() { err = cmd.Start() }); rerr != nil || err != nil {
		t.Fatal(rerr, err)
	}
	_ = cmd.Wait() // what it printed tells
	return out.String()
}

func closed(t *testing.T, a probeArgs, network bool) *Confinement {
	t.Helper()
	if landlockVersion() < scopesSince || nativeArch == 0 {
		t.Skip("this kernel cannot enforce everything")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Closed{Programs: []string{exe}, Scratch: a.scratch, Network: network}.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if len(c.Gaps()) > 0 {
		t.Errorf("gaps %q", c.Gaps())
	}
	return c
}

// Nothing that a closed program tries works, in it, its children and theirs.
func TestClosed(t *testing.T) {
	a := surroundings(t)
	c := closed(t, a, false)
	for range 2 { // a confinement serves for several starts
		got := confined(t, c, append([]string{modeProbe, "2"}, a.list()...)...)
		if want := "0 done\n1 done\n2 done\n"; got != want {
			t.Errorf("it could do this:\n%s", got)
		}
	}
}

// The same attempts work without a confinement: the test can fail.
func TestProbe(t *testing.T) {
	a := surroundings(t)
	out, err := exec.Command(self(), append([]string{modeProbe, "0"}, a.list()...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{
		"tcp", "udp", "listen", "unix socket", "datagram", "abstract socket", "netlink", "read canary", "list home", "truncate canary",
		"chmod canary", "touch canary", "remove canary", "beside canary", "write /tmp", "cmdline", "signal", "inotify",
		"shared memory", "execute from scratch",
	} {
		if !strings.Contains(string(out), "0 "+what+"\n") {
			t.Errorf("%s does not work without a sandbox either", what)
		}
	}
}

// With a network, connections work and the rest does not.
func TestClosedWithNetwork(t *testing.T) {
	a := surroundings(t)
	got := confined(t, closed(t, a, true), append([]string{modeProbe, "0"}, a.list()...)...)
	if want := "0 tcp\n0 udp\n0 unix socket\n0 done\n"; got != want {
		t.Errorf("it could do this:\n%s\nwant:\n%s", got, want)
	}
}

// Nothing of a confinement stays with the process that puts it on a thread.
func TestOtherThreadsStayFree(t *testing.T) {
	a := surroundings(t)
	c := closed(t, a, false)
	for range 20 {
		if err := c.Run(func() {
			if _, err := os.ReadFile(a.canary); err == nil {
				t.Error("a confined thread reads everything")
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	free := make(chan error)
	const threads = 50
	for range threads {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			_, err := os.ReadFile(a.canary)
			if no, _ := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); no != 0 {
				t.Error("a thread is confined that nobody confined")
			}
			free <- err
		}()
	}
	for range threads {
		if err := <-free; err != nil {
			t.Error(err)
		}
	}
}

// Also where the goroutine that asks runs on the first thread of the process.
func TestMainThread(t *testing.T) {
	a := surroundings(t)
	c := closed(t, a, false)
	for range 200 {
		var tid int
		if err := c.Run(func() { tid = unix.Gettid() }); err != nil {
			t.Fatal(err)
		}
		if tid == os.Getpid() {
			t.Fatal("the first thread was confined: it never ends")
		}
	}
}

// BenchmarkClosed is what confining adds to a start.
func BenchmarkClosed(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		c, err := Closed{Scratch: dir}.Prepare()
		if err != nil {
			b.Skip(err)
		}
		if err := c.Run(func() {}); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
