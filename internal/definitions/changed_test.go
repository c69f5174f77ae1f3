package definitions

import (
	"testing"

	"github.com/mcp-relay/relay/internal/registry"
)

// What is offered although nobody approved it is told apart, also when the same
// list is asked about again, until somebody approves it.
func TestFlaggedFormsAreChanged(t *testing.T) {
	p := begin(t, t.TempDir(), func(o *Options) { o.Policy = Policy{Wording: Flag} })
	changed := func(definition string) bool {
		t.Helper()
		raw := []byte(definition)
		items := []registry.Item{registry.NewItem(registry.Tools, raw)}
		items[0].State = registry.Offered
		p.memory.Recall(t.Context(), "s", registry.Tools, items, [][]byte{raw})
		if items[0].State != registry.Offered {
			t.Errorf("%s is held", definition)
		}
		return items[0].Changed
	}
	first, second := def("a", "reads", "x"), def("a", "reads everything", "x")
	if changed(first) {
		t.Error("the first form")
	}
	for range 2 {
		if !changed(second) {
			t.Error("the second form")
		}
	}
	if changed(first) {
		t.Error("the first form again")
	}
}
