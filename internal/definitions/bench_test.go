package definitions

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/registry"
)

var time0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

type noRecords struct{}

func (noRecords) Write(*audit.Record) error { return nil }

// BenchmarkRecall is what a list of 1000 tools costs when its bytes changed: as
// it was, and with one tool that is another.
func BenchmarkRecall(b *testing.B) {
	for _, change := range []bool{false, true} {
		b.Run(fmt.Sprintf("changed %v", change), func(b *testing.B) {
			store, err := OpenStore(b.TempDir(), config)
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			m := New(Options{
				Policy: graded, Servers: []Server{{Name: "s", Identity: "1"}}, Store: store,
				Audit: noRecords{}, Log: slog.New(slog.DiscardHandler),
			})
			defer m.Close()
			var items []registry.Item
			var sent [][]byte
			for i := range 1000 {
				raw := []byte(def(fmt.Sprintf("tool%d", i), longText+longText, "one", "two", "three", "four", "five"))
				it := registry.NewItem(registry.Tools, raw)
				it.State = registry.Offered
				items, sent = append(items, it), append(sent, raw)
			}
			m.Recall(b.Context(), "s", registry.Tools, items, sent)
			b.ResetTimer()
			for i := range b.N {
				if change {
					sent[7] = []byte(def("tool7", fmt.Sprint(i), "one"))
				}
				items[7].State = registry.Offered
				m.Recall(b.Context(), "s", registry.Tools, items, sent)
			}
		})
	}
}
