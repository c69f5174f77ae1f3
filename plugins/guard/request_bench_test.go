package guard

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// BenchmarkRequest measures calls with short arguments and with a document.
func BenchmarkRequest(b *testing.B) {
	document, err := json.Marshal(strings.Repeat(prose, 2<<10/len(prose)+1)[:2<<10])
	if err != nil {
		b.Fatal(err)
	}
	for _, test := range []struct{ name, arguments string }{
		{"short", `{"host":"db-1.internal:5432","path":"docs/guide.md","query":"open issues about (login OR logout)","limit":10}`},
		{"command", `{"command":"git add -A && git commit -m 'fix; tests' && curl -s http://localhost:8080/health | jq .status"}`},
		{"2KiB", fmt.Sprintf(`{"path":"docs/guide.md","content":%s}`, document)},
	} {
		b.Run(test.name, func(b *testing.B) {
			benchmarkScan(b, jsonContent(scanner.PhaseRequest, `{"name":"tool","arguments":`+test.arguments+`}`))
		})
	}
}
