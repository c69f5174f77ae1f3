package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

const maxMessage = 64 << 20

// relay moves lines between the standard streams and a command until either
// ends. With a scanner, answers are judged concurrently and leave when allowed.
func relay(command []string, s *scanner) error {
	cmd, down, up, err := start(command)
	if err != nil {
		return err
	}
	go func() {
		_ = lines(os.Stdin, func(line []byte) error {
			// A relay has to look at requests too: method and tool name.
			_ = jscan.Get(line, "method")
			_ = jscan.Get(line, "params", "name")
			_, err := down.Write(line)
			return err
		})
		_ = down.Close()
	}()
	out := &output{scanner: s}
	err = lines(up, out.take)
	out.pending.Wait()
	return errors.Join(err, cmd.Wait())
}

// start starts a command with pipes.
func start(command []string) (cmd *exec.Cmd, down io.WriteCloser, up io.Reader, err error) {
	cmd = exec.CommandContext(context.Background(), command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	if down, err = cmd.StdinPipe(); err != nil {
		return nil, nil, nil, err
	}
	if up, err = cmd.StdoutPipe(); err != nil {
		return nil, nil, nil, err
	}
	err = cmd.Start()
	return cmd, down, up, err
}

// output writes answers to the client.
type output struct {
	scanner *scanner
	mu      sync.Mutex
	pending sync.WaitGroup
}

func (o *output) take(line []byte) error {
	if o.scanner == nil {
		return o.write(line)
	}
	message := bytes.Clone(line)
	o.pending.Go(func() {
		if o.scanner.scan(message) == nil {
			_ = o.write(message) // a client that is gone also ends the other direction
		}
	})
	return nil
}

func (o *output) write(line []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := os.Stdout.Write(line)
	return err
}

// lines calls f with each line, newline included. The line is valid until f
// returns.
func lines(r io.Reader, f func([]byte) error) error {
	in := bufio.NewReaderSize(r, 256<<10)
	var long []byte
	for {
		part, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(long) < maxMessage:
			long = append(long, part...)
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if len(long) > 0 {
			part = append(long, part...)
			long = long[:0]
		}
		if err := f(part); err != nil {
			return err
		}
	}
}
