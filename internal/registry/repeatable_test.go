package registry

import "testing"

func TestOnlyApprovedToolsAreRepeatable(t *testing.T) {
	const raw = `{"name":"x","annotations":{"readOnlyHint":true,"idempotentHint":true}}`
	for name, tt := range map[string]struct {
		change func(it *Item)
		want   bool
	}{
		"offered":                 {func(*Item) {}, true},
		"not approved":            {func(it *Item) { it.Changed = true }, false},
		"exempt from scanning":    {func(it *Item) { it.State = Hidden }, false},
		"not annotated":           {func(it *Item) { it.Raw = []byte(`{"name":"x"}`) }, false},
		"whatever it said before": {func(it *Item) { it.Raw, it.Repeatable = []byte(`{"name":"x"}`), true }, false},
		"with a schema":           {func(it *Item) { it.Raw = []byte(raw[:len(raw)-1] + `,"inputSchema":{"type":"object"}}`) }, true},
	} {
		r := newRegistry(Bare, nil, "a")
		it := NewItem(Tools, []byte(raw))
		it.State = Offered
		tt.change(&it)
		r.Install("a", Tools, Listing{Items: []Item{it}})
		to, ok := r.Route(Tools, "x")
		if !ok || to.Repeatable != tt.want {
			t.Errorf("%s: %v, %v", name, ok, to.Repeatable)
		}
	}
}
