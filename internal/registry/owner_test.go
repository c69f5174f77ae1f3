package registry

import (
	"fmt"
	"testing"
)

func TestWithheldResourceIsNotReachedThroughATemplate(t *testing.T) {
	for _, state := range []State{Held, Blocked} {
		r := newRegistry(Prefix, nil, "a")
		secret, template := uri(Resources, "db://rows/secret"), uri(Templates, "db://rows/{id}/{withheld}")
		secret.State, template.State = state, state
		r.Install("a", Resources, list(secret))
		r.Install("a", Templates, list(uri(Templates, "db://rows/{id}"), template))
		for _, name := range []string{"db://rows/secret", "db://rows/{id}/{withheld}"} {
			if to, ok := r.Owner(name); ok {
				t.Errorf("%s: %s leads to %+v", state, name, to)
			}
		}
		if _, ok := r.Owner("db://rows/1"); !ok {
			t.Errorf("%s: the template leads nowhere", state)
		}
	}
}

// A client asks for completions of a template by its text, also of one that is
// too wide to be routed by.
func TestTemplateItselfHasAnOwner(t *testing.T) {
	r := newRegistry(Prefix, nil, "a", "b")
	r.Install("b", Templates, list(uri(Templates, "file:///{path}")))
	if to, ok := r.Owner("file:///{path}"); !ok || to.Server != "b" {
		t.Errorf("leads to %+v", to)
	}
	if to, ok := r.Owner("file:///etc"); ok {
		t.Errorf("leads to %+v", to)
	}
}

func TestNamesWithoutEndAreNotRemembered(t *testing.T) {
	r := New(Options{MaxName: 50, MaxTools: 10}, []string{"a", "b"}, nil)
	r.Install("b", Tools, list(tool("x", "")))
	for i := range 1000 {
		r.Install("a", Tools, list(tool(fmt.Sprintf("t%d", i), "")))
		body(r, Tools)
	}
	if n := len(r.owner[Tools]); n > 41 {
		t.Errorf("%d names are remembered", n)
	}
	if _, ok := r.Route(Tools, "b__x"); !ok {
		t.Error("another server lost its tool")
	}
	r.Install("a", Tools, list(tool("t0", "")))
	if _, ok := r.Route(Tools, "a__t0"); !ok {
		t.Error("a name that was known is refused")
	}
}

func TestNoServerMakesAnothersHashedName(t *testing.T) {
	target := prefixed("a b", "t", 50) // a_b__t_<hash>
	if got := prefixed("a_b", target[len("a_b__"):], 50); got == target {
		t.Errorf("both are %s", got)
	}
}
