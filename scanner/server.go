package scanner

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// NewServer returns a gRPC server that serves s as a process would, with its
// health, but without the handshake. It is for tests: see package scannertest.
// The error says what the scanner's author must correct.
func NewServer(s Scanner, log *slog.Logger) (*grpc.Server, error) {
	srv, err := newServer(s, log)
	if err != nil {
		return nil, err
	}
	g := grpc.NewServer(srv.options()...)
	srv.register(g)
	h := health.NewServer()
	h.SetServingStatus(handshake.PluginHealth, grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(g, h)
	return g, nil
}

// server puts one scanner behind the contract.
type server struct {
	scannerv1.UnimplementedScannerServiceServer

	scanner     Scanner
	info        Info
	log         *slog.Logger
	admission   *admission
	configuring sync.Mutex // a Configurer is not called concurrently with itself
	flush       func(context.Context) error
}

var _ scannerv1.ScannerServiceServer = (*server)(nil)

func newServer(s Scanner, log *slog.Logger) (*server, error) {
	info, err := infoOf(s)
	if err != nil {
		return nil, err
	}
	_, configurable := s.(Configurer)
	srv := &server{scanner: s, info: info, log: log, admission: newAdmission(info.MaxConcurrent, !configurable)}
	srv.flush = onceOnly(s)
	return srv, nil
}

func (s *server) register(r grpc.ServiceRegistrar) { scannerv1.RegisterScannerServiceServer(r, s) }

// Describe says what the scanner is.
func (s *server) Describe(context.Context, *scannerv1.DescribeRequest) (*scannerv1.DescribeResponse, error) {
	p := &scannerv1.DescribeResponse{
		Name:          s.info.Name,
		Version:       s.info.Version,
		SdkVersion:    sdkVersion(),
		ConfigSchema:  string(s.info.ConfigSchema),
		MaxConcurrent: uint32(s.info.MaxConcurrent), //nolint:gosec // infoOf has checked the range
		Deterministic: s.info.Deterministic,
		NeedsNetwork:  s.info.NeedsNetwork,
		SelfContained: s.info.SelfContained,
		UsesInventory: s.info.UsesInventory,
	}
	for _, phase := range s.info.Phases {
		p.Phases = append(p.Phases, scannerv1.Phase(phase))
	}
	for _, kind := range s.info.Kinds {
		p.Kinds = append(p.Kinds, scannerv1.Kind(kind))
	}
	_, p.Configurable = s.scanner.(Configurer)
	_, p.Batch = s.scanner.(BatchScanner)
	return p, nil
}

// Scan judges one content.
func (s *server) Scan(ctx context.Context, r *scannerv1.ScanRequest) (*scannerv1.ScanResponse, error) {
	start := time.Now()
	verdict, err := s.judge(ctx, r.GetScanId(), r.GetContent())
	if err != nil {
		return nil, statusTo(err)
	}
	return &scannerv1.ScanResponse{ScanId: r.GetScanId(), Verdict: verdict, Elapsed: durationpb.New(time.Since(start))}, nil
}

func (s *server) judge(ctx context.Context, id string, p *scannerv1.Content) (*scannerv1.Verdict, error) {
	if err := checkScanID(id); err != nil {
		return nil, err
	}
	leave, err := s.admission.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	c, err := contentFrom(p, s.info)
	if err != nil {
		return nil, err
	}
	v, err := s.scanner.Scan(ctx, c)
	if err != nil {
		return nil, err
	}
	return verdictTo(v)
}

// Drain refuses new scans, waits for those that run and lets the scanner flush.
func (s *server) Drain(ctx context.Context, _ *scannerv1.DrainRequest) (*scannerv1.DrainResponse, error) {
	if err := s.drain(ctx); err != nil {
		return nil, statusTo(err)
	}
	return &scannerv1.DrainResponse{}, nil
}

func (s *server) drain(ctx context.Context) error {
	if err := s.admission.drain(ctx); err != nil {
		return err
	}
	return s.flush(ctx)
}

// onceOnly makes a scanner's Drain callable from the relay's call and from the
// loss of the relay, whichever comes first.
func onceOnly(s Scanner) func(context.Context) error {
	d, ok := s.(Drainer)
	if !ok {
		return func(context.Context) error { return nil }
	}
	var once sync.Once
	var err error
	return func(ctx context.Context) error {
		once.Do(func() { err = d.Drain(ctx) })
		return err
	}
}

func checkScanID(id string) error {
	printable := len(id) > 0 && len(id) <= handshake.MaxScanID
	for i := range len(id) {
		printable = printable && ' ' < id[i] && id[i] < 0x7f
	}
	if !printable {
		return &Error{Reason: ReasonUnsupported, Message: "the scan id is missing, too long or not printable ASCII"}
	}
	return nil
}
