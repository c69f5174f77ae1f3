package conformance

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// Client calls one scanner as the relay does. It may be used concurrently.
type Client struct {
	conn   *grpc.ClientConn
	scans  scannerv1.ScannerServiceClient
	health grpc_health_v1.HealthClient
	lastID atomic.Int64
}

// NewClient returns a client of the scanner at the other end of conn.
func NewClient(conn *grpc.ClientConn) *Client {
	return &Client{conn: conn, scans: scannerv1.NewScannerServiceClient(conn), health: grpc_health_v1.NewHealthClient(conn)}
}

// Describe asks the scanner what it is.
func (c *Client) Describe(ctx context.Context) (scanner.Info, error) {
	p, err := c.scans.Describe(ctx, &scannerv1.DescribeRequest{})
	if err != nil {
		return scanner.Info{}, errorFrom(err)
	}
	return infoFrom(p), nil
}

// Configure gives the scanner a configuration. The error is scanner.Problems
// when the scanner refuses it, else wraps a *scanner.Error.
func (c *Client) Configure(ctx context.Context, config string) error {
	p, err := c.scans.Configure(ctx, &scannerv1.ConfigureRequest{ConfigJson: config})
	if err != nil {
		return errorFrom(err)
	}
	var problems scanner.Problems
	for _, problem := range p.GetProblems() {
		problems = append(problems, scanner.Problem{Pointer: problem.GetPointer(), Message: problem.GetMessage()})
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// Scan asks for the verdict on one content. The error wraps a *scanner.Error.
func (c *Client) Scan(ctx context.Context, content scanner.Content) (scanner.Verdict, error) {
	id := c.nextID()
	p, err := c.scans.Scan(ctx, &scannerv1.ScanRequest{ScanId: id, Content: contentTo(content)})
	if err != nil {
		return scanner.Verdict{}, errorFrom(err)
	}
	if p.GetScanId() != id {
		return scanner.Verdict{}, fmt.Errorf("the answer is about scan %q, not %q", p.GetScanId(), id)
	}
	return verdictFrom(p.GetVerdict()), nil
}

// ScanBatch asks for the verdicts on several contents. The error of a scanner
// without ScanBatch wraps a *scanner.Error.
func (c *Client) ScanBatch(ctx context.Context, contents []scanner.Content) ([]scanner.Result, error) {
	r := &scannerv1.ScanBatchRequest{}
	for _, content := range contents {
		r.Items = append(r.Items, &scannerv1.ScanItem{ScanId: c.nextID(), Content: contentTo(content)})
	}
	p, err := c.scans.ScanBatch(ctx, r)
	if err != nil {
		return nil, errorFrom(err)
	}
	if len(p.GetResults()) != len(contents) {
		return nil, errors.New("there is another number of results than contents")
	}
	results := make([]scanner.Result, len(contents))
	for i, result := range p.GetResults() {
		if result.GetScanId() != r.GetItems()[i].GetScanId() {
			return nil, errors.New("the results are not in the order of the contents")
		}
		if e := result.GetError(); e != nil {
			results[i].Err = scanErrorFrom(e)
			continue
		}
		results[i].Verdict = verdictFrom(result.GetVerdict())
	}
	return results, nil
}

// Ready asks whether the scanner takes scans.
func (c *Client) Ready(ctx context.Context) (bool, error) {
	p, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: handshake.Service})
	if err != nil {
		return false, errorFrom(err)
	}
	return p.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING, nil
}

// Drain asks the scanner to finish.
func (c *Client) Drain(ctx context.Context) error {
	if _, err := c.scans.Drain(ctx, &scannerv1.DrainRequest{}); err != nil {
		return errorFrom(err)
	}
	return nil
}

func (c *Client) nextID() string { return "test-" + strconv.FormatInt(c.lastID.Add(1), 10) }
