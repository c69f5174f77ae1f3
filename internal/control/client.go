package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"time"
)

// ErrForeign says that a socket does not belong to a relay of this user.
var ErrForeign = errors.New("the socket belongs to another user")

// Sockets returns the control sockets in a directory, also of relays that are
// gone: then asking fails.
func Sockets(dir string) []string {
	all, err := filepath.Glob(filepath.Join(dir, prefix+"*"+suffix))
	if err != nil {
		return nil // the directory's name is no pattern
	}
	return all
}

// Ask asks the relay behind a socket. The error of a relay that refuses is what
// it says, in words of its own.
func Ask(ctx context.Context, socket string, r Request) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, reloadTime+patience)
	defer cancel()
	dialed, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return Response{}, fmt.Errorf("connect to the relay: %w", err)
	}
	defer dialed.Close()
	conn, ok := dialed.(*net.UnixConn)
	if !ok || !sameUser(conn) {
		return Response{}, ErrForeign
	}
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end) // a socket takes deadlines
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	line, err := json.Marshal(r)
	if err != nil {
		return Response{}, fmt.Errorf("write the request: %w", err)
	}
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return Response{}, fmt.Errorf("ask the relay: %w", err)
	}
	line, err = bufio.NewReader(io.LimitReader(conn, maxResponse+1)).ReadBytes('\n')
	if err != nil {
		return Response{}, fmt.Errorf("the relay did not answer: %w", err)
	}
	var answer Response
	if err := json.Unmarshal(line, &answer); err != nil {
		return Response{}, fmt.Errorf("the relay's answer: %w", err)
	}
	return answer, nil
}
