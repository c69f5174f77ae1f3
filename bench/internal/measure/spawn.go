package measure

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mcp-relay/relay/bench/internal/procstat"
)

// spawn starts the command in a session of its own, which tells its processes
// from others even when their parent has ended. With front "stdio" it returns
// the parent's ends of its pipes.
func (in *Instance) spawn(argv, env []string) (rd, wr *os.File, err error) {
	log, err := os.Create(in.log)
	if err != nil {
		return nil, nil, err
	}
	defer log.Close()
	// The command runs in its own directory, so resolve the path first.
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return nil, nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(context.Background(), path, argv[1:]...)
	cmd.Dir = in.dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if in.Front == "stdio" {
		theirIn, w, err := os.Pipe()
		if err != nil {
			return nil, nil, err
		}
		defer theirIn.Close()
		r, theirOut, err := os.Pipe()
		if err != nil {
			_ = w.Close()
			return nil, nil, err
		}
		defer theirOut.Close()
		cmd.Stdin, cmd.Stdout, rd, wr = theirIn, theirOut, r, w
	}
	if err := cmd.Start(); err != nil {
		if rd != nil {
			err = errors.Join(err, rd.Close(), wr.Close())
		}
		return nil, nil, err
	}
	in.cmd, in.exited = cmd, make(chan struct{})
	go func() {
		in.ended = cmd.Wait()
		close(in.exited)
	}()
	return rd, wr, nil
}

// outlive is how long a target's processes may take to follow it. A program
// under the race detector sleeps a second before it ends.
const outlive = 3 * time.Second

// endSession kills what is left of a session whose leader has ended, after a
// moment of grace, and counts it. The number of a leader is not given to a new
// process while its session lives, so nobody else can be hit.
func endSession(leader int) (left int) {
	var alive []procstat.Proc
	for end := time.Now().Add(outlive); ; {
		alive = slices.DeleteFunc(procstat.Tree(leader), func(p procstat.Proc) bool { return p.PID == leader })
		if len(alive) == 0 || time.Now().After(end) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, p := range alive {
		_ = syscall.Kill(p.PID, syscall.SIGKILL)
	}
	return len(alive)
}

func freePort() (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("the listener has no port")
	}
	return address.Port, nil
}

// logTail returns the end of a target's output.
func logTail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b[max(0, len(b)-1500):]))
}
