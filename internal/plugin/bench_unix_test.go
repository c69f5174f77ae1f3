//go:build unix

package plugin

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/mcp-relay/relay/internal/verdict"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

func BenchmarkScan(b *testing.B) {
	s := begin(b, bad(b, "content"), quiet())
	ready(b, s)
	for _, size := range []int{1 << 10, 100 << 10} {
		c := verdict.Content{
			Phase: verdict.Response, Kind: verdict.Text, Data: bytes.Repeat([]byte("x"), size),
			Origin: verdict.Origin{Server: "files", Method: "tools/call", Target: "read_file", Session: "s", Call: "c"},
		}
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			b.ReportAllocs()
			before := used(b)
			for b.Loop() {
				if _, err := s.Scan(b.Context(), c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((used(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
		})
		b.Run(fmt.Sprintf("size=%d/parallel", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := s.Scan(b.Context(), c); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// used returns the processor time of this process so far, without children.
func used(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkCall is the floor: the unary call alone.
func BenchmarkCall(b *testing.B) {
	s := begin(b, bad(b, "content"), quiet())
	ready(b, s)
	client := scannerv1.NewScannerServiceClient(s.status.Load().generation.conn)
	r := &scannerv1.ScanRequest{ScanId: "1", Content: &scannerv1.Content{
		Phase: scannerv1.Phase_PHASE_RESPONSE, Kind: scannerv1.Kind_KIND_TEXT, Data: bytes.Repeat([]byte("x"), 1<<10),
		Origin: &scannerv1.Origin{Server: "files", Method: "tools/call", Target: "read_file", Session: "s", Call: "c"},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Scan(b.Context(), r, grpc.StaticMethod()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	spec := bad(b, "content")
	for b.Loop() {
		s, err := Start(b.Context(), spec, nil, quiet())
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Ready(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Stop(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
