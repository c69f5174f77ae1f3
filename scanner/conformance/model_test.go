package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// model is a scanner without fault: it redacts a word, wherever it stands.
type model struct{ word atomic.Pointer[string] }

const modelConfig = `{"word":"hunter2"}`

func (*model) Describe() scanner.Info {
	return scanner.Info{Name: "model", Version: "1.0.0", Deterministic: true, ConfigSchema: []byte(`{"type":"object"}`)}
}

func (m *model) Configure(_ context.Context, config []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(config, &members); err != nil {
		return scanner.Problems{{Message: "it is not JSON"}}
	}
	var problems scanner.Problems
	for name := range members {
		if name != "word" {
			problems = append(problems, scanner.Problem{Pointer: "/" + name, Message: "there is no such member"})
		}
	}
	var word string
	if json.Unmarshal(members["word"], &word) != nil || word == "" {
		problems = append(problems, scanner.Problem{Pointer: "/word", Message: "write a word"})
	}
	if len(problems) > 0 {
		return problems
	}
	m.word.Store(&word)
	return nil
}

func (m *model) Scan(ctx context.Context, c scanner.Content) (scanner.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return scanner.Verdict{}, err
	}
	word := *m.word.Load()
	finding := scanner.Finding{Rule: "model/word", Category: "secret.word"}
	if bytes.Contains(c.Data, []byte("panic, please")) {
		panic("as asked")
	}
	if c.Kind == scanner.KindBlob {
		if bytes.Contains(c.Data, []byte(word)) {
			return scanner.Block(finding), nil
		}
		return scanner.Allow(), nil
	}
	for _, name := range c.Keys() {
		if strings.Contains(name, word) {
			return scanner.Block(finding), nil
		}
	}
	var found []scanner.Finding
	for pointer, text := range c.Strings() {
		for from := 0; ; {
			at := strings.Index(text[from:], word)
			if at < 0 {
				break
			}
			f := finding
			f.Redact, f.Location = true, scanner.Location{Pointer: pointer, Start: from + at, End: from + at + len(word)}
			found, from = append(found, f), from+at+len(word)
		}
	}
	if len(found) > 0 {
		return scanner.Redact(found...), nil
	}
	return scanner.Allow(), nil
}

func (m *model) ScanBatch(ctx context.Context, cs []scanner.Content) []scanner.Result {
	out := make([]scanner.Result, len(cs))
	for i, c := range cs {
		out[i].Verdict, out[i].Err = m.Scan(ctx, c)
	}
	return out
}

// modelOptions are what is known about the model.
func modelOptions() Options {
	return Options{
		Config: modelConfig, BadConfig: `{"word":"","wrod":"x"}`, BadPointers: []string{"/word", "/wrod"},
		Contents: []scanner.Content{asResult("hunter2, hunter2")},
		Crash:    &scanner.Content{Phase: scanner.PhaseResponse, Kind: scanner.KindText, Data: []byte("panic, please")},
		sizes:    sizes{large: 256 << 10, many: 16, growth: 32 << 20, rest: 300 * time.Millisecond, start: startTimeout, leave: 2 * time.Second},
	}
}

// spoiled is the service of a model with one fault. It stands between the wire
// and a server of the SDK, which would not let most faults pass.
type spoiled struct {
	scannerv1.UnimplementedScannerServiceServer

	fault   string
	stdout  io.Writer
	stderr  io.Writer
	inner   scannerv1.ScannerServiceClient
	health  grpc_health_v1.HealthClient
	running atomic.Int64
	calls   atomic.Int64

	configuring atomic.Bool
	configured  atomic.Bool
	drained     atomic.Bool
	once        atomic.Bool

	mu   sync.Mutex
	kept [][]byte
}

func newSpoiled(fault string, stderr io.Writer) *spoiled {
	server, err := scanner.NewServer(&model{}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	listener := bufconn.Listen(1 << 20)
	go func() { _ = server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:model", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30)))
	if err != nil {
		panic(err)
	}
	return &spoiled{
		fault: fault, stdout: os.Stdout, stderr: stderr, inner: scannerv1.NewScannerServiceClient(conn), health: grpc_health_v1.NewHealthClient(conn),
	}
}

// is reports whether the scanner has that fault.
func (s *spoiled) is(fault string) bool { return s.fault == fault }

// options are those of the server that it is registered with.
func (s *spoiled) options() []grpc.ServerOption {
	limit := handshake.MaxMessage
	if s.is("takes messages of any size") {
		limit = 1 << 30
	}
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(limit), grpc.MaxSendMsgSize(1 << 30),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			check, ok := req.(*grpc_health_v1.HealthCheckRequest)
			if !ok {
				return next(ctx, req)
			}
			return s.check(ctx, check)
		}),
	}
}

func (s *spoiled) check(ctx context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	serving := &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}
	switch {
	case r.GetService() == handshake.PluginHealth && s.is("is not healthy"):
		return nil, status.Error(codes.NotFound, "unknown service")
	case r.GetService() == handshake.PluginHealth,
		s.is("is ready before its configuration") && !s.configured.Load(), s.is("is ready after draining") && s.drained.Load():
		return serving, nil
	case s.is("loses its configuration") && s.calls.Load() < 0:
		return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}, nil
	}
	return s.health.Check(ctx, r)
}

func (s *spoiled) Describe(ctx context.Context, r *scannerv1.DescribeRequest) (*scannerv1.DescribeResponse, error) {
	d, err := s.inner.Describe(ctx, r)
	switch s.fault {
	case "has a bad name":
		d.Name = "../Model"
	case "changes with its configuration":
		if s.configured.Load() {
			d.Version = "2"
		}
	case "claims no batches":
		d.Batch = false
	case "refuses fields it does not know":
		if len(r.ProtoReflect().GetUnknown()) > 0 {
			return nil, status.Error(codes.InvalidArgument, "unknown field")
		}
	}
	return d, err
}

func (s *spoiled) Configure(ctx context.Context, r *scannerv1.ConfigureRequest) (*scannerv1.ConfigureResponse, error) {
	s.configuring.Store(true)
	defer s.configuring.Store(false)
	p, err := s.inner.Configure(ctx, r)
	switch {
	case s.is("reports one problem at a time") && len(p.GetProblems()) > 1:
		p.Problems = p.GetProblems()[:1]
	case s.is("takes any configuration"):
		return &scannerv1.ConfigureResponse{}, nil
	case s.is("fails instead of listing problems") && len(p.GetProblems()) > 0:
		return nil, status.Error(codes.InvalidArgument, "bad")
	case s.is("refuses every configuration"):
		return &scannerv1.ConfigureResponse{Problems: []*scannerv1.Problem{{Message: "no"}}}, nil
	case s.is("quotes the configuration") && len(p.GetProblems()) > 0:
		p.Problems[0].Message = "do not write " + r.GetConfigJson()[:min(len(r.GetConfigJson()), 500)]
	case s.is("loses its configuration") && len(p.GetProblems()) > 0 && s.configured.Load():
		s.calls.Store(-1 << 40)
	case s.is("is not ready while configured"):
		time.Sleep(20 * time.Millisecond)
	}
	if err == nil && len(p.GetProblems()) == 0 {
		s.configured.Store(true)
	}
	return p, err
}

func fail(reason scannerv1.Reason, code codes.Code) error {
	st, err := status.New(code, "failed").WithDetails(&scannerv1.ScanError{Reason: reason})
	return errors.Join(err, st.Err())
}

func (s *spoiled) Scan(ctx context.Context, r *scannerv1.ScanRequest) (*scannerv1.ScanResponse, error) {
	n := s.calls.Add(1)
	running := s.running.Add(1)
	defer s.running.Add(-1)
	c := r.GetContent()
	internal := fail(scannerv1.Reason_REASON_INTERNAL, codes.Internal)
	silent := status.Error(codes.Internal, "no")
	if s.is("breaks under load") {
		time.Sleep(2 * time.Millisecond)
	}
	response := c.GetPhase() == scannerv1.Phase_PHASE_RESPONSE
	switch {
	case s.is("fails in one phase") && c.GetPhase() == scannerv1.Phase_PHASE_SERVER_REQUEST && string(c.GetData()) == "{}" && s.once.CompareAndSwap(false, true):
		return nil, internal
	case s.is("fails on nothing") && len(c.GetData()) == 0 && len(c.GetRequest()) <= handshake.MaxRequest && c.GetKind() != scannerv1.Kind_KIND_JSON:
		return nil, silent
	case s.is("fails on a call") && bytes.Contains(c.GetData(), []byte("1e400")) && s.once.CompareAndSwap(false, true):
		return nil, internal
	case s.is("fails on deep JSON") && bytes.HasPrefix(c.GetData(), []byte("[[[")) && !bytes.Contains(c.GetData(), []byte("hunter2")):
		return nil, internal
	case s.is("fails on invalid text") && bytes.Contains(c.GetData(), []byte("a\xff")):
		return nil, silent
	case s.is("fails on large content") && len(c.GetData()) > 200<<10 && len(c.GetData()) <= 1<<20 && !bytes.Contains(c.GetData(), []byte("hunter2")):
		return nil, internal
	case s.is("fails on what is given") && bytes.Contains(c.GetData(), []byte("hunter2, hunter2")):
		return nil, internal
	case s.is("says nothing about a failure") && bytes.Contains(c.GetData(), []byte("panic, please")):
		return nil, silent
	case s.is("dies of a panic") && bytes.Contains(c.GetData(), []byte("panic, please")):
		fmt.Fprintln(s.stderr, "panic: nobody foresaw it")
		os.Exit(2) //nolint:gocritic // like a panic, it runs nothing more
	case s.is("judges what it does not know") && (c.GetPhase() < 1 || c.GetPhase() > 5 || c.GetKind() < 1 || c.GetKind() > 3):
		return allow(r), nil
	case s.is("takes any scan id") && (r.GetScanId() == "" || len(r.GetScanId()) > 64):
		return allow(r), nil
	case s.is("takes content of any size") && len(c.GetData()) > handshake.MaxContent:
		return allow(r), nil
	case s.is("takes messages of any size") && len(c.GetData()) > handshake.MaxContent:
		return allow(r), nil
	case s.is("refuses fields it does not know") && len(c.ProtoReflect().GetUnknown()) > 0:
		return nil, status.Error(codes.InvalidArgument, "unknown field")
	case s.is("breaks under load") && running > 16:
		return nil, internal
	case s.is("is not ready while configured") && s.configuring.Load():
		return nil, internal
	case s.is("judges after draining") && s.drained.Load():
		return allow(r), nil
	case s.is("is ready before its configuration") && !s.configured.Load():
		return allow(r), nil
	case s.is("loses its configuration") && n < 0:
		return nil, fail(scannerv1.Reason_REASON_NOT_CONFIGURED, codes.FailedPrecondition)
	case s.is("does not read blobs") && c.GetKind() == scannerv1.Kind_KIND_BLOB && response,
		s.is("stops reading") && len(c.GetData()) > 200<<10 && len(c.GetData()) <= handshake.MaxContent,
		s.is("does not read names") && bytes.HasSuffix(c.GetData(), []byte(`":1}`)):
		return allow(r), nil
	case s.is("prints after the handshake"):
		fmt.Fprintln(s.stdout, "judging")
	case s.is("logs content") && bytes.Contains(c.GetData(), []byte("hunter2")):
		fmt.Fprintln(s.stderr, "judging", string(c.GetData()[:min(len(c.GetData()), 200)]))
	case s.is("logs every scan"):
		fmt.Fprintln(s.stderr, "judging")
	case s.is("keeps content") && len(c.GetData()) > 100<<10:
		s.mu.Lock()
		s.kept = append(s.kept, bytes.Repeat([]byte("x"), 4<<20))
		s.mu.Unlock()
	case s.is("leaves a child") && n == 1:
		_ = exec.Command("sleep", leftover(os.Getppid())).Start()
	case s.is("ignores cancellation") && len(c.GetData()) > 100<<10:
		select {
		case <-ctx.Done():
			time.Sleep(1500 * time.Millisecond)
		case <-time.After(120 * time.Millisecond):
		}
	}
	a, err := s.inner.Scan(ctx, r)
	if err != nil {
		return nil, err
	}
	s.spoil(a, r, n)
	return a, nil
}

// spoil changes a verdict.
func (s *spoiled) spoil(a *scannerv1.ScanResponse, r *scannerv1.ScanRequest, n int64) {
	v := a.GetVerdict()
	found := len(v.GetFindings()) > 0
	switch {
	case s.is("does not repeat the scan id") && len(r.GetScanId()) == 64:
		a.ScanId = "another"
	case s.is("misspells categories") && found:
		v.Findings[0].Category = "Secret Word"
	case s.is("locates outside") && found && v.GetFindings()[0].GetLocation().GetEnd() > 0:
		v.Findings[0].Location.End = 1 << 20
	case s.is("redacts for ever") && bytes.Contains(r.GetContent().GetData(), []byte("redacted:")) && r.GetContent().GetKind() == scannerv1.Kind_KIND_TEXT:
		v.Action = scannerv1.Action_ACTION_BLOCK
	case s.is("changes its mind") && found && v.GetAction() == scannerv1.Action_ACTION_REDACT:
		v.Findings[0].Confidence = float64(n%100) / 100
	case s.is("quotes content") && found:
		v.Findings[0].Message = "found in " + string(r.GetContent().GetData()[:min(len(r.GetContent().GetData()), 100)])
	}
}

func allow(r *scannerv1.ScanRequest) *scannerv1.ScanResponse {
	return &scannerv1.ScanResponse{ScanId: r.GetScanId(), Verdict: &scannerv1.Verdict{Action: scannerv1.Action_ACTION_ALLOW}}
}

func (s *spoiled) ScanBatch(ctx context.Context, r *scannerv1.ScanBatchRequest) (*scannerv1.ScanBatchResponse, error) {
	if s.is("fails a batch for one item") && slices.ContainsFunc(r.GetItems(), func(i *scannerv1.ScanItem) bool { return i.GetContent().GetPhase() == 99 }) {
		return nil, fail(scannerv1.Reason_REASON_UNSUPPORTED, codes.InvalidArgument)
	}
	if _, err := s.inner.ScanBatch(ctx, r); err != nil {
		return nil, err
	}
	a := &scannerv1.ScanBatchResponse{}
	for _, item := range r.GetItems() {
		result := &scannerv1.ScanResult{ScanId: item.GetScanId()}
		one, err := s.Scan(ctx, &scannerv1.ScanRequest{ScanId: item.GetScanId(), Content: item.GetContent()})
		if err != nil || item.GetContent().GetPhase() == 99 {
			result.Outcome = &scannerv1.ScanResult_Error{Error: &scannerv1.ScanError{Reason: scannerv1.Reason_REASON_UNSUPPORTED}}
		} else {
			result.Outcome = &scannerv1.ScanResult_Verdict{Verdict: one.GetVerdict()}
		}
		a.Results = append(a.Results, result)
	}
	if s.is("mixes up a batch") {
		slices.Reverse(a.GetResults())
	}
	return a, nil
}

func (s *spoiled) Drain(ctx context.Context, r *scannerv1.DrainRequest) (*scannerv1.DrainResponse, error) {
	if s.is("cannot drain") {
		return nil, fail(scannerv1.Reason_REASON_INTERNAL, codes.Internal)
	}
	if s.is("ignores cancellation") {
		for s.running.Load() > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	s.drained.Store(true)
	return s.inner.Drain(ctx, r)
}

// leftover is how long what a scanner leaves behind sleeps, in seconds: a number
// that tells whose it is.
func leftover(test int) string { return strconv.Itoa(1_000_000 + test) }

// serveSpoiled serves a model with a fault within the process.
func serveSpoiled(fault string) (*Client, func(), error) {
	s := newSpoiled(fault, io.Discard)
	g := grpc.NewServer(s.options()...)
	scannerv1.RegisterScannerServiceServer(g, s)
	grpc_health_v1.RegisterHealthServer(g, grpc_health_v1.UnimplementedHealthServer{})
	listener := bufconn.Listen(1 << 20)
	go func() { _ = g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:spoiled", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(handshake.MaxMessage), grpc.MaxCallSendMsgSize(2*handshake.MaxMessage)))
	if err != nil {
		return nil, nil, err
	}
	return NewClient(conn), func() { conn.Close(); g.Stop() }, nil
}
