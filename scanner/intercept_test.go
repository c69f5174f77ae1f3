package scanner

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
)

func TestPanicIsLoggedWithoutContent(t *testing.T) {
	var log strings.Builder
	srv, err := newServer(described{}, newLogger(&log, nil))
	if err != nil {
		t.Fatal(err)
	}
	var none []int
	for want, panics := range map[string]func(){
		`"panic":"*errors.errorString"`: func() { panic(context.Canceled) },
		`"panic":"string"`:              func() { panic("hunter2") },
		`"panic":"runtime error: index out of range [7] with length 0"`: func() { _ = none[len("hunter2")] },
	} {
		log.Reset()
		_, err := srv.recoverPanic(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/x"}, func(context.Context, any) (any, error) {
			panics()
			return "x", nil
		})
		if err == nil {
			t.Error("no error")
		}
		if !strings.Contains(log.String(), want) || !strings.Contains(log.String(), "intercept_test.go") {
			t.Errorf("the log lacks %s or the stack: %s", want, &log)
		}
		if strings.Contains(log.String(), "hunter2") {
			t.Errorf("the log holds content: %s", &log)
		}
	}
}

func TestEveryCallHasADeadline(t *testing.T) {
	_, err := ensureDeadline(t.Context(), nil, nil, func(ctx context.Context, _ any) (any, error) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("no deadline")
		}
		return "", nil
	})
	if err != nil {
		t.Error(err)
	}
}
