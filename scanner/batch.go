package scanner

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// errNoBatch is what a scanner without ScanBatch answers.
var errNoBatch = status.Error(codes.Unimplemented, "this scanner judges no batches")

// ScanBatch judges several contents. It occupies one slot.
func (s *server) ScanBatch(ctx context.Context, r *scannerv1.ScanBatchRequest) (*scannerv1.ScanBatchResponse, error) {
	b, ok := s.scanner.(BatchScanner)
	if !ok {
		return nil, errNoBatch
	}
	start := time.Now()
	if n := len(r.GetItems()); n < 1 || n > handshake.MaxBatch {
		return nil, statusTo(unsupported("a batch holds 1 to 256 items"))
	}
	leave, err := s.admission.enter(ctx)
	if err != nil {
		return nil, statusTo(err)
	}
	defer leave()
	results, err := s.judgeBatch(ctx, b, r.GetItems())
	if err != nil {
		return nil, statusTo(err)
	}
	return &scannerv1.ScanBatchResponse{Results: results, Elapsed: durationpb.New(time.Since(start))}, nil
}

func (s *server) judgeBatch(ctx context.Context, b BatchScanner, items []*scannerv1.ScanItem) ([]*scannerv1.ScanResult, error) {
	results := make([]*scannerv1.ScanResult, len(items))
	var contents []Content
	var open []*scannerv1.ScanResult // those that wait for the scanner's verdict on contents
	for i, item := range items {
		results[i] = &scannerv1.ScanResult{ScanId: item.GetScanId()}
		c, err := contentFrom(item.GetContent(), s.info)
		if err = errors.Join(checkScanID(item.GetScanId()), err); err != nil {
			results[i].Outcome = &scannerv1.ScanResult_Error{Error: errorTo(err)}
			continue
		}
		contents, open = append(contents, c), append(open, results[i])
	}
	if len(contents) == 0 {
		return results, nil
	}
	judged := b.ScanBatch(ctx, contents)
	if len(judged) != len(contents) {
		return nil, invalidVerdict("there is another number of results than contents")
	}
	for i, r := range judged {
		verdict, err := verdictTo(r.Verdict)
		if r.Err != nil {
			err = r.Err
		}
		if err != nil {
			open[i].Outcome = &scannerv1.ScanResult_Error{Error: errorTo(err)}
			continue
		}
		open[i].Outcome = &scannerv1.ScanResult_Verdict{Verdict: verdict}
	}
	return results, nil
}
