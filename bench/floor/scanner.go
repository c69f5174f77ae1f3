package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const method = "/floor.Scanner/Scan"

// verdict is what a scanner that changes nothing returns.
var verdict = wrapperspb.Bytes([]byte("allow"))

var service = grpc.ServiceDesc{
	ServiceName: "floor.Scanner",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Scan",
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			if err := decode(new(wrapperspb.BytesValue)); err != nil {
				return nil, err
			}
			return verdict, nil
		},
	}},
}

// serveScanner is the scanner process. It ends when its parent closes its
// standard input.
func serveScanner(path string) error {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return err
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	s.RegisterService(&service, struct{}{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		s.Stop()
	}()
	return s.Serve(listener)
}

// scanner is a running scanner process.
type scanner struct {
	dir   string
	cmd   *exec.Cmd
	input io.Closer
	conn  *grpc.ClientConn
}

func startScanner() (s *scanner, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "floor-")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "s")
	s = &scanner{dir: dir, cmd: exec.CommandContext(context.Background(), self, "-serve", path)}
	s.cmd.Stderr = os.Stderr
	if s.input, err = s.cmd.StdinPipe(); err == nil {
		if err = s.cmd.Start(); err == nil {
			s.conn, err = dial(path)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *scanner) scan(message []byte) error {
	return s.conn.Invoke(context.Background(), method, wrapperspb.Bytes(message), new(wrapperspb.BytesValue))
}

func (s *scanner) close() (err error) {
	if s.conn != nil {
		err = s.conn.Close()
	}
	if s.cmd.Process != nil {
		err = errors.Join(err, s.input.Close(), s.cmd.Wait())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// dial waits until the socket is there.
func dial(path string) (*grpc.ClientConn, error) {
	var dialer net.Dialer
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		c, err := dialer.DialContext(context.Background(), "unix", path)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			return nil, err
		}
	}
	return grpc.NewClient("unix://"+path, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
}
