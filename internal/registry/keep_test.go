package registry

import "testing"

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
		"good": false, "a__good": false, "other": false, "": false, "bad.": false, "notbad": false,
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
