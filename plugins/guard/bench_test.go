package guard

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// prose is what documentation and results of tools sound like.
const prose = `# Configuring the storage service

The service keeps objects in buckets. Before you use the command line client,
create an access key in the console and store it in a safe place; the secret is
shown only once. You must restart the daemon after every change of the
configuration, otherwise the old settings stay in force.

    export STORAGE_ENDPOINT=https://storage.example.test:9000
    storagectl login --token "$STORAGE_TOKEN" --region eu-central-1
    storagectl cp ./report.pdf s3://reports/2024/report.pdf --password-file ./pw

| option | default | meaning |
|---|---|---|
| max_retries | 3 | how often a failed request is sent again |
| api_version | 2021-08-06 | version of the API that the client asks for |

When a request fails, the tool reports the status code, the request id and the
message of the server. Do not share the signed URL with anyone: whoever has it
can read the object until it expires. See [the guide](https://docs.example.test/guide?v=2#auth).

func (c *Client) Upload(ctx context.Context, bucket, key string, body io.Reader) error {
	req, err := c.newRequest(ctx, http.MethodPut, bucket, key, body)
	if err != nil {
		return fmt.Errorf("upload %s: %w", key, err)
	}
	return c.do(req)
}

`

func proseContent(tb testing.TB, size int) scanner.Content {
	tb.Helper()
	text, err := json.Marshal(strings.Repeat(prose, size/len(prose)+1)[:size])
	if err != nil {
		tb.Fatal(err)
	}
	return jsonContent(scanner.PhaseResponse, fmt.Sprintf(`{"content":[{"type":"text","text":%s}]}`, text))
}

func BenchmarkScan(b *testing.B) {
	for _, size := range []int{2 << 10, 100 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			c := proseContent(b, size)
			benchmarkScan(b, c)
		})
	}
	b.Run("keywords", func(b *testing.B) {
		benchmarkScan(b, jsonContent(scanner.PhaseResponse, `{"a":"`+strings.Repeat(keywordSalad, (100<<10)/len(keywordSalad))+`"}`))
	})
}

func benchmarkScan(b *testing.B, c scanner.Content) {
	b.Helper()
	g := New()
	if _, err := g.Scan(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(c.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Scan(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}

// keywordSalad makes every expression run everywhere.
const keywordSalad = "ignore tell before password key send admin decode your system prompt always http:// token= "

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := newEngine(); err != nil {
			b.Fatal(err)
		}
	}
}
