package registry

import (
	"slices"
	"testing"
)

func TestSetServers(t *testing.T) {
	tool := func(name string) Listing {
		return Listing{Items: []Item{{Name: name, State: Offered, Raw: []byte(`{"name":"` + name + `"}`)}}}
	}
	resource := Listing{Items: []Item{{Name: "file:///x", State: Offered, Raw: []byte(`{"uri":"file:///x"}`)}}}
	r := New(Options{Naming: Bare, MaxName: 50, MaxTools: 10}, []string{"a", "b", "c"}, nil)
	for _, s := range []string{"a", "b", "c"} {
		r.Install(s, Tools, tool("of_"+s))
		r.Install(s, Resources, resource)
	}
	public := func(k Kind) (names []string) {
		for _, e := range r.Entries(k) {
			if e.Public != "" {
				names = append(names, e.Server+" "+e.Public)
			}
		}
		return names
	}
	shown := func(k Kind) { r.Page(k, 0, "") }
	shown(Tools)
	want := func(when string, k Kind, names ...string) {
		t.Helper()
		if got := public(k); !slices.Equal(got, names) {
			t.Errorf("%s: %q", when, got)
		}
	}
	want("first", Resources, "a file:///x")

	if changed := r.SetServers([]string{"a", "b", "c"}, nil, nil); changed != nil {
		t.Errorf("the same servers change %v", changed)
	}
	changed := r.SetServers([]string{"c", "b"}, nil, []string{"b"})
	if !slices.Equal(changed, []Kind{Tools, Resources}) {
		t.Errorf("changed: %v", changed)
	}
	want("a gone, b new", Tools, "c of_c")
	want("a gone, b new", Resources, "c file:///x")
	if r.Install("a", Tools, tool("of_a")) || r.Remove("a") != nil {
		t.Error("a server that is there no more offers something")
	}
	if _, ok := r.Route(Tools, "of_a"); ok {
		t.Error("a tool of a server that is there no more is reached")
	}
	// Nobody takes over a name under which clients know another's tool.
	r.Install("b", Tools, tool("of_a"))
	want("b imitates a", Tools, "c of_c", "b b__of_a")
	r.SetServers([]string{"a", "c"}, nil, nil)
	r.Install("a", Tools, tool("of_a"))
	want("a is back", Tools, "a of_a", "c of_c")
}
