package guard

import (
	"strings"
	"testing"

	"github.com/mcp-relay/relay/scanner"
)

// TestEncodedTextsAreCounted: a list of them, as of a cluster's secrets, is read;
// what there are too many of is named.
func TestEncodedTextsAreCounted(t *testing.T) {
	for n, named := range map[int]bool{100: false, 300: true} {
		list := strings.Repeat("aGVsbG8gdG8gdGhlIHdob2xlIHdvcmxkIG91dCB0aGVyZQ== ", n)
		v, err := New().Scan(t.Context(), jsonContent(scanner.PhaseResponse, `{"a":"`+list+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if (len(v.Uninspected) > 0) != named {
			t.Errorf("%d encoded texts: uninspected %+v", n, v.Uninspected)
		}
	}
}
