package measure

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mcp-relay/relay/bench/internal/client"
	"github.com/mcp-relay/relay/bench/internal/procstat"
	"github.com/mcp-relay/relay/bench/internal/server"
)

// Instance is a running target.
type Instance struct {
	Target

	Startup  time.Duration // from process start to the first complete tools/list
	IdleRSS  int64         // of the proxy's processes at that moment
	sessions []*Session
	cmd      *exec.Cmd
	dir      string
	log      string
	exited   chan struct{} // closed when the command has ended, with ended set
	ended    error
	server   int // pid of the shared HTTP server, for its CPU time
}

// StartOptions say how many servers and tools stand behind a target.
type StartOptions struct {
	Programs

	Servers  int
	Tools    int
	Lanes    int // most calls in flight to come
	Protocol string
	Timeout  time.Duration
	HTTPBase string // base URL of the shared HTTP server
	HTTPPID  int
}

// Start launches the target and waits until it lists every tool.
func (t *Target) Start(o StartOptions) (*Instance, error) {
	if t.Protocol != "" {
		o.Protocol = t.Protocol
	}
	if t.Tools > 0 {
		o.Tools = t.Tools
	}
	if t.Servers > 0 {
		o.Servers = t.Servers
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	in := &Instance{Target: *t, dir: dir, log: filepath.Join(dir, "target.log"), server: o.HTTPPID}
	if err := in.start(&o); err != nil {
		if tail := logTail(in.log); tail != "" {
			err = fmt.Errorf("%w\nlast output:\n%s", err, tail)
		}
		in.Stop()
		return nil, err
	}
	return in, nil
}

func (in *Instance) start(o *StartOptions) error {
	v, err := in.vars(o, in.dir)
	if err != nil {
		return err
	}
	if err := in.writeFiles(v); err != nil {
		return err
	}
	argv, e1 := expandAll(in.Command, v)
	env, e2 := expandAll(in.Env, v)
	headers, e3 := expandAll(in.Headers, v)
	urls, e4 := expand(in.URL, v)
	if err := errors.Join(e1, e2, e3, e4); err != nil {
		return err
	}
	// expect counts the tools that the servers have together.
	expect := o.Servers * (server.BaseTools + o.Tools)
	begin := time.Now()
	deadline := begin.Add(o.Timeout)
	var rd, wr *os.File
	if len(argv) > 0 {
		if rd, wr, err = in.spawn(argv, env); err != nil {
			return err
		}
	}
	if in.Front == "stdio" {
		err = in.connectStdio(client.Stdio(rd, wr, o.Lanes), o, expect, deadline)
	} else {
		err = in.connectHTTP(strings.Fields(urls), headers, o, expect, deadline)
	}
	if err != nil {
		return err
	}
	in.Startup = time.Since(begin)
	for _, p := range in.proxies() {
		in.IdleRSS += procstat.Mem(p.PID).RSS
	}
	return nil
}

func (in *Instance) writeFiles(v Vars) error {
	for name, text := range in.Files {
		expanded, err := expand(text, v)
		if err != nil {
			return fmt.Errorf("file %s: %w", name, err)
		}
		path := filepath.Join(in.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(expanded), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// retry is how often a target that starts is asked whether it is ready.
const retry = 2 * time.Millisecond

func (in *Instance) connectStdio(c *client.Client, o *StartOptions, expect int, deadline time.Time) error {
	c.SetDeadline(deadline)
	if err := c.Start(o.Protocol); err != nil {
		c.Close()
		return err
	}
	for {
		s, err := discover(c, o.Lanes, expect)
		switch {
		case err == nil:
			in.sessions = []*Session{s}
			return nil
		case !errors.Is(err, errFewTools) || time.Now().After(deadline):
			c.Close()
			return err
		}
		time.Sleep(retry) // a relay may list its tools only after it has answered initialize
	}
}

func (in *Instance) connectHTTP(urls, headers []string, o *StartOptions, expect int, deadline time.Time) error {
	if len(urls) == 0 {
		return errors.New("no URL")
	}
	for _, url := range urls {
		var last error // why it was not ready before time ran out
		for {
			s, err := dial(url, headers, o, expect/len(urls), deadline)
			if err == nil {
				in.sessions = append(in.sessions, s)
				break
			}
			if last == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
				last = err
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("not ready after %v: %w", o.Timeout, last)
			}
			select {
			case <-in.exited:
				return fmt.Errorf("exited: %w", errors.Join(in.ended, last))
			case <-time.After(retry):
			}
		}
	}
	return nil
}

func dial(url string, headers []string, o *StartOptions, expect int, deadline time.Time) (*Session, error) {
	c, err := client.HTTP(url, headers, o.Lanes)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(deadline)
	if err = c.Start(o.Protocol); err == nil {
		var s *Session
		if s, err = discover(c, o.Lanes, expect); err == nil {
			return s, nil
		}
	}
	c.Close()
	return nil, err
}

// Stop ends the processes that Start began, and only those. It returns how many
// outlived the target's own end.
func (in *Instance) Stop() (left int) {
	for _, s := range in.sessions {
		s.c.Close()
	}
	if in.cmd != nil {
		_ = in.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-in.exited:
		case <-time.After(2 * time.Second):
			_ = in.cmd.Process.Kill()
			<-in.exited
		}
		left = endSession(in.cmd.Process.Pid)
	}
	_ = os.RemoveAll(in.dir)
	return left
}
