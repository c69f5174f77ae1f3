package scanner

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mcp-relay/relay/scanner/handshake"
)

// defaultTimeout ends a call whose caller set no deadline.
const defaultTimeout = 30 * time.Second

// options returns what every server of a scanner has in common.
func (s *server) options(more ...grpc.UnaryServerInterceptor) []grpc.ServerOption {
	chain := append([]grpc.UnaryServerInterceptor{s.recoverPanic, answerHealth(s.admission), ensureDeadline}, more...)
	return []grpc.ServerOption{
		// grpc's own limit of 4 MiB would refuse content that the contract allows.
		grpc.MaxRecvMsgSize(handshake.MaxMessage),
		grpc.MaxSendMsgSize(handshake.MaxMessage),
		grpc.ChainUnaryInterceptor(chain...),
		// A scan goes deep: on a fresh goroutine growing the stack would cost a
		// tenth of it. Above this number each scan gets a goroutine of its own.
		grpc.NumStreamWorkers(streamWorkers),
		// Fixed windows spare the pings with which grpc measures the link.
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(window),
	}
}

const (
	streamWorkers = 16
	window        = 1 << 20
)

// recoverPanic turns a panic into a failure of the one call, so that one content
// cannot end the judging of all others.
func (s *server) recoverPanic(ctx context.Context, req any, call *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.ErrorContext(ctx, "panic in scanner", "call", call.FullMethod, "panic", panicText(p), "stack", string(debug.Stack()))
			resp, err = nil, statusTo(&Error{Reason: ReasonInternal, Message: "the scanner panicked", ContentCaused: true})
		}
	}()
	return next(ctx, req)
}

// panicText says what a panic was about. The text of a runtime error holds
// numbers and types only; anything else could hold content.
func panicText(p any) string {
	if e, ok := p.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", p)
}

// ensureDeadline gives a call a deadline when it came without.
func ensureDeadline(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if _, ok := ctx.Deadline(); ok {
		return next(ctx, req)
	}
	ctx, cancel := context.WithTimeout(ctx, defaultTimeout)
	defer cancel()
	return next(ctx, req)
}

// answerHealth answers for the scanner's service. It intercepts, because
// go-plugin registers a health server of its own that cannot be reached.
func answerHealth(a *admission) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		check, ok := req.(*grpc_health_v1.HealthCheckRequest)
		if !ok || check.GetService() != handshake.Service {
			return next(ctx, req)
		}
		if !a.ready() {
			return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}, nil
		}
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
	}
}
