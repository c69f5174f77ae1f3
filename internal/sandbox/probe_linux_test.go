//go:build amd64 || arm64

package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The test binary is also the program that is confined: started with this first
// argument it tries everything that it may not do, and prints what it could.
const modeProbe = "__probe"

// attempts are what a confined program tries. Each returns nil when it worked.
// The arguments are those of the process.
var attempts = []struct {
	name string
	do   func(a probeArgs) error
}{
	{"tcp", func(a probeArgs) error { return dial("tcp", a.tcp) }},
	{"udp", func(a probeArgs) error {
		c, err := net.Dial("udp", a.udp)
		if err != nil {
			return err
		}
		_, err = c.Write([]byte("x"))
		return err
	}},
	{"listen", func(probeArgs) error { return closing(net.Listen("tcp", "127.0.0.1:0")) }},
	{"unix socket", func(a probeArgs) error { return dial("unix", a.socket) }},
	{"datagram", func(a probeArgs) error { return dial("unixgram", a.datagram) }},
	{"abstract socket", func(a probeArgs) error { return dial("unix", a.abstract) }},
	{"netlink", func(probeArgs) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW) }},
	{"packet", func(probeArgs) error { return socket(unix.AF_PACKET, unix.SOCK_RAW) }},
	{"vsock", func(probeArgs) error { return socket(unix.AF_VSOCK, unix.SOCK_STREAM) }},
	{"read canary", func(a probeArgs) error { _, err := os.ReadFile(a.canary); return err }},
	{"list home", func(a probeArgs) error { _, err := os.ReadDir(filepath.Dir(a.canary)); return err }},
	{"write canary", func(a probeArgs) error { return closing(os.OpenFile(a.canary, os.O_WRONLY, 0)) }},
	{"truncate canary", func(a probeArgs) error { return os.Truncate(a.canary, 0) }},
	{"chmod canary", func(a probeArgs) error { return os.Chmod(a.canary, 0o666) }},
	{"touch canary", func(a probeArgs) error {
		return unix.UtimesNanoAt(unix.AT_FDCWD, a.canary, make([]unix.Timespec, 2), 0)
	}},
	{"remove canary", func(a probeArgs) error { return os.Remove(a.canary) }},
	{"beside canary", func(a probeArgs) error { return os.WriteFile(a.canary+".new", nil, 0o600) }},
	{"link out", func(a probeArgs) error { return os.Link(a.canary, filepath.Join(a.scratch, "stolen")) }},
	{"follow a link out", func(a probeArgs) error {
		link := filepath.Join(a.scratch, "link"+strconv.Itoa(os.Getpid()))
		if err := os.Symlink(a.canary, link); err != nil {
			return nil // that must work
		}
		_, err := os.ReadFile(link)
		return err
	}},
	{"write /tmp", func(probeArgs) error { return scratchIn("/tmp") }},
	{"write /dev/shm", func(probeArgs) error { return scratchIn("/dev/shm") }},
	{"environ", func(a probeArgs) error { _, err := os.ReadFile(procFile(a.parent, "environ")); return err }},
	{"cmdline", func(a probeArgs) error { _, err := os.ReadFile(procFile(a.parent, "cmdline")); return err }},
	{"mem", func(a probeArgs) error { return closing(os.OpenFile(procFile(a.parent, "mem"), os.O_RDWR, 0)) }},
	{"root", func(a probeArgs) error { _, err := os.ReadFile(procFile(a.parent, "root") + a.canary); return err }},
	{"ptrace", func(a probeArgs) error { // one that does not stop it
		return errno(unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(a.parent), 0, 0, 0, 0))
	}},
	{"process_vm_readv", func(a probeArgs) error {
		b := make([]byte, 1)
		_, err := unix.ProcessVMReadv(a.parent, []unix.Iovec{{Base: &b[0], Len: 1}}, []unix.RemoteIovec{{Base: 0x400000, Len: 1}}, 0)
		if err == unix.EFAULT {
			return nil
		}
		return err
	}},
	{"signal", func(a probeArgs) error { return unix.Kill(a.parent, 0) }},
	{"signal a thread", func(a probeArgs) error { return unix.Tgkill(a.parent, a.parent, 0) }},
	{"limit", func(a probeArgs) error {
		var now unix.Rlimit
		return unix.Prlimit(a.parent, unix.RLIMIT_NOFILE, nil, &now)
	}},
	{"priority", func(a probeArgs) error { return unix.Setpriority(unix.PRIO_PROCESS, a.parent, 0) }},
	{"namespace", func(probeArgs) error { return unix.Unshare(unix.CLONE_NEWUSER) }},
	{"child in a namespace", func(probeArgs) error {
		cmd := exec.Command(self(), modeProbe)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
		return cmd.Run()
	}},
	{"mount", func(a probeArgs) error { // of a kind that there is not
		if err := unix.Mount("none", a.scratch, "nofs", 0, ""); !errors.Is(err, unix.ENODEV) {
			return err
		}
		return nil
	}},
	{"io_uring", func(probeArgs) error { return call(unix.SYS_IO_URING_SETUP, 1) }},
	{"bpf", func(probeArgs) error { return call(unix.SYS_BPF, 0) }},
	{"keys", func(probeArgs) error { return call(unix.SYS_KEYCTL, 0) }},
	{"userfaultfd", func(probeArgs) error { return call(unix.SYS_USERFAULTFD, 1) }},
	{"inotify", func(probeArgs) error { _, err := unix.InotifyInit1(0); return err }},
	{"shared memory", func(probeArgs) error {
		id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 4096, 0o600)
		if err == nil {
			_, err = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
		}
		return err
	}},
	{"execute from scratch", func(a probeArgs) error {
		path := filepath.Join(a.scratch, "program"+strconv.Itoa(os.Getpid()))
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
			return nil // that must work
		}
		return exec.Command(path).Run()
	}},
}

// probeArgs says what is there to be reached.
type probeArgs struct {
	parent                                                int
	canary, scratch, tcp, udp, socket, datagram, abstract string
}

func (a probeArgs) list() []string {
	return []string{strconv.Itoa(a.parent), a.canary, a.scratch, a.tcp, a.udp, a.socket, a.datagram, a.abstract}
}

// probe tries everything, prints what worked and, with deep, has a child and a
// grandchild try too.
func probe(args []string) {
	if len(args) < 9 {
		os.Exit(0) // started by an attempt that worked
	}
	a := probeArgs{canary: args[2], scratch: args[3], tcp: args[4], udp: args[5], socket: args[6], datagram: args[7], abstract: args[8]}
	a.parent, _ = strconv.Atoi(args[1])
	for _, t := range attempts {
		if err := t.do(a); err == nil {
			fmt.Println(args[0], t.name)
		}
	}
	if err := os.WriteFile(filepath.Join(a.scratch, "own"), []byte("x"), 0o600); err != nil {
		fmt.Println(args[0], "cannot write its own directory:", err)
	}
	if err := closing(net.Listen("unix", filepath.Join(a.scratch, "s"+args[0]))); err != nil {
		fmt.Println(args[0], "cannot listen:", err)
	}
	if depth, _ := strconv.Atoi(args[0]); depth > 0 {
		cmd := exec.Command(self(), append([]string{modeProbe, strconv.Itoa(depth - 1)}, args[1:]...)...)
		cmd.Stdout = os.Stdout
		if err := cmd.Run(); err != nil {
			fmt.Println(args[0], "cannot start a child:", err)
		}
	}
	fmt.Println(args[0], "done")
	os.Exit(0)
}

// scratchIn makes a file in a directory and removes it.
func scratchIn(dir string) error {
	f, err := os.CreateTemp(dir, "escaped-")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	return err
}

func self() string { return os.Args[0] }

func dial(network, address string) error {
	c, err := net.Dial(network, address)
	if err == nil {
		err = c.Close()
	}
	return err
}

func closing[T interface{ Close() error }](c T, err error) error {
	if err == nil {
		err = c.Close()
	}
	return err
}

func socket(domain, typ int) error {
	fd, err := unix.Socket(domain, typ, 0)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

// call makes a system call with arguments that it cannot like: an error other
// than that of a filter means that it got as far as to say so.
func call(number, first uintptr) error {
	_, _, errno := unix.Syscall6(number, first, 0, 0, 0, 0, 0)
	if errno == unix.EPERM {
		return errno
	}
	return nil
}

func errno(_, _ uintptr, e syscall.Errno) error {
	if e == 0 {
		return nil
	}
	return e
}

func procFile(pid int, name string) string {
	return strings.Join([]string{"/proc", strconv.Itoa(pid), name}, "/")
}

// modeShell has the test binary run a shell command and say whether it worked.
const modeShell = "__shell"

func shell(command string) {
	cmd := exec.Command("/bin/sh", "-ec", command)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if cmd.Run() == nil {
		fmt.Println("it worked")
	}
	os.Exit(0)
}
