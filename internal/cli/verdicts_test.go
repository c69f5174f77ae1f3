package cli

import (
	"runtime"
	"testing"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/verdictcache"
)

// Who a bundled scanner is is known without its process, where its program
// cannot be another one meanwhile.
func TestBundledScannersAreKnownAtOnce(t *testing.T) {
	for _, test := range []struct {
		config config.Scanner
		scope  verdictcache.Scope
	}{
		{config.Scanner{Name: "a", Plugin: "guard", Cache: config.Auto}, verdictcache.Everything},
		{config.Scanner{Name: "a", Plugin: "guard", Cache: config.CacheDefinitions}, verdictcache.Definitions},
		{config.Scanner{Name: "a", Plugin: "panscanner", Cache: config.Auto}, verdictcache.Nothing},
		{config.Scanner{Name: "a", Plugin: "panscanner", Cache: config.CacheTrue}, verdictcache.Everything},
	} {
		s := &subject{config: &test.config, files: verdictcache.NewFiles(nil, nil)}
		s.describe()
		if runtime.GOOS != "linux" {
			if s.program != "" {
				t.Error("the program's file is told")
			}
			continue
		}
		id, scope, ok := s.Known()
		if !ok || scope != test.scope || id.Digest == "" || id.Program != test.config.Plugin || id.Contract == "" || id.Relay == "" {
			t.Errorf("%s, %s: %+v, %d, %t", test.config.Plugin, test.config.Cache, id, scope, ok)
		}
	}
}
