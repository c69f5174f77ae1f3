package cli

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/mcp-relay/relay/internal/plugin"
)

// BenchmarkStart starts guard, asks what it is and ends it.
func BenchmarkStart(b *testing.B) {
	for _, c := range []struct {
		name string
		how  plugin.Sandbox
	}{{"free", plugin.SandboxNever}, {"confined", plugin.SandboxAlways}} {
		b.Run(c.name, func(b *testing.B) {
			spec := plugin.Spec{
				Name: "guard", Bundled: "guard", Needs: bundledNeeds("guard", nil), Limits: bundledLimits, Sandbox: c.how,
				RunDir: filepath.Join(b.TempDir(), "run"),
			}
			for b.Loop() {
				if _, err := plugin.Describe(b.Context(), spec, nil, slog.New(slog.DiscardHandler)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
