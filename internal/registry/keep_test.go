package registry

import (
	"fmt"
	"strings"
	"testing"
)

func TestKeeps(t *testing.T) {
	item := func(k Kind, name string, state State) Item {
		it := NewItem(k, []byte(`{"name":"`+name+`","uri":"`+name+`","uriTemplate":"`+name+`","inputSchema":{"type":"object"}}`))
		it.State = state
		return it
	}
	r := New(Options{MaxName: 60, MaxTools: 100}, []string{"a", "b"}, nil)
	r.Install("a", Tools, Listing{Items: []Item{item(Tools, "good", Offered), item(Tools, "Bad", Blocked)}})
	r.Install("a", Prompts, Listing{Items: []Item{item(Prompts, "held", Held)}})
	r.Install("a", Resources, Listing{Items: []Item{item(Resources, "file:///good", Offered), item(Resources, "file:///bad", Blocked)}})
	r.Install("a", Templates, Listing{Items: []Item{item(Templates, "file:///open/{x}", Offered), item(Templates, "file:///secret/{x}", Held)}})
	for text, want := range map[string]bool{
		"good": false, "a__good": false, "_bad": false, "x_bad": false, "__bad": true, "other": false, "": false, "bad.": false, "notbad": false,
		"Bad": true, "bad": true, "\tBAD": true, "a__Bad": true, "b__bad": true, "ｂａｄ": true, "held": true,
		"file:///good": false, "file:///open/x": false, "file:///goods": false,
		"file:///bad": true, "FILE:///bad": true, "file:///%62ad": true, "file:///x/../bad": true, "file%3A///bad": true, "file:///bad?x": true,
		"file:///secret/x": true, "file:///%73ecret/x": true, "file:///open/../secret/x": true, "file:///SECRET/x": true,
	} {
		if r.Keeps("a", text) != want {
			t.Errorf("%q: should be %v", text, want)
		}
		if r.Keeps("b", text) {
			t.Errorf("%q is kept by a server that does not have it", text)
		}
	}
	r.Install("b", Templates, Listing{Items: []Item{item(Templates, "{+any}", Blocked)}})
	if !r.Keeps("b", "https://x.example") || r.Keeps("b", "word") {
		t.Error("a template of anything keeps any URI")
	}
}

// TestKeepsTakesNoTimeForEachItem: were each text compared with each item, this
// would take hours.
func TestKeepsTakesNoTimeForEachItem(t *testing.T) {
	const many = 4000
	r := New(Options{MaxName: 60, MaxTools: many}, []string{"a", "b"}, nil)
	for _, k := range []Kind{Tools, Templates} {
		items := make([]Item, 0, many)
		for i := range many {
			name := fmt.Sprintf("file:///%04d{x}", i)
			it := NewItem(k, []byte(`{"name":"`+name+`","uriTemplate":"`+name+`","inputSchema":{"type":"object"}}`))
			it.State = Blocked
			items = append(items, it)
		}
		r.Install("a", k, Listing{Items: items})
	}
	for i := range 300_000 {
		if text := "file:///x" + strings.Repeat("_", i%100); r.Keeps("a", text) {
			t.Fatalf("%q is kept", text)
		}
	}
	if !r.Keeps("a", "file:///3999") || !r.Keeps("a", "b__file:///0000{X}") {
		t.Error("something kept is not found")
	}
}
