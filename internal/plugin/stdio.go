package plugin

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/emptypb"
)

// go-plugin's server puts pipes in place of a scanner's standard streams and
// offers what is written to them on this call. Nobody else empties the pipes, so
// a scanner that prints much would stop for ever.
const (
	stdioMethod = "/plugin.GRPCStdio/StreamStdio"
	stdioData   = 2 // the number of the field with the bytes
)

// stdio reads what a scanner prints.
type stdio struct {
	stream grpc.ClientStream
	rest   []byte
}

func openStdio(ctx context.Context, conn *grpc.ClientConn) (*stdio, error) {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, stdioMethod)
	if err == nil {
		err = stream.SendMsg(&emptypb.Empty{})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	if err != nil {
		return nil, fmt.Errorf("read what the scanner prints: %w", err)
	}
	return &stdio{stream: stream}, nil
}

// Read returns an error at the end of the connection, or when the scanner does
// not know the call.
func (s *stdio) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		// The message's type belongs to go-plugin; an empty one keeps its fields
		// as unknown ones.
		var m emptypb.Empty
		if err := s.stream.RecvMsg(&m); err != nil {
			return 0, err
		}
		s.rest = bytesField(m.ProtoReflect().GetUnknown(), stdioData)
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// bytesField returns the value of a field in an encoded message, or nil.
func bytesField(message []byte, number protowire.Number) []byte {
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil
		}
		message = message[n:]
		if num == number && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message) // nil when it is cut off
			return value
		}
		if n = protowire.ConsumeFieldValue(num, kind, message); n < 0 {
			return nil
		}
		message = message[n:]
	}
	return nil
}
