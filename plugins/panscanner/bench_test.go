package panscanner

import (
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

func BenchmarkSplit(b *testing.B) {
	for name, doc := range map[string]string{
		"small": `{"content":[{"type":"text","text":"` + strings.Repeat("lorem ipsum ", 100) + `"}]}`,
		"large": `{"content":[{"type":"text","text":"` + strings.Repeat("lorem ipsum ", 600_000) + `"}]}`,
		"many":  `{"a":["` + strings.Repeat(`a","`, 1_500_000) + `"]}`,
	} {
		b.Run(name, func(b *testing.B) {
			c := testConfig()
			c.maxChunks = 1000
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				if _, failure := c.split(scanner.Content{Phase: scanner.PhaseResponse, Kind: scanner.KindJSON, Data: []byte(doc)}); failure != nil {
					b.Fatal(failure)
				}
			}
		})
	}
}
