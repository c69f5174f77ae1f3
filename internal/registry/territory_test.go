package registry

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/protocol"
)

func TestReachOfTemplates(t *testing.T) {
	tests := []struct {
		template string
		routed   bool
		yes, no  string // URIs that it reaches, or not, separated by spaces
	}{
		{"db://rows/{id}", true, "db://rows/1 db://rows/1/2 db://rows/", "db://rows db://rowsecret db://row DB://rows/1 db://{id}"},
		{"db://rows{/id}", true, "db://rows/1 db://rows", "db://rowsecret db://rows?x"},
		{"db://rows{?id,n}", true, "db://rows?id=1 db://rows", "db://rows/1 db://rows2"},
		{"db://rows{#part}", true, "db://rows#x", "db://rows?x"},
		{"db://rows/all", true, "db://rows/all", "db://rows/all/x db://rows/al"},
		{"user:current/{x}", true, "user:current/y", "user:currently"},
		{"urn:isbn:{n}", true, "urn:isbn:1", "urn:issn:1"},
		{"file:///home/{+path}", true, "file:///home/a/b", "file:///etc/passwd"},
		{"db://row{id}", false, "", ""},
		{"db://{table}/rows", false, "", ""},
		{"file:///{path}", false, "", ""},
		{"{scheme}://rows/1", false, "", ""},
		{"{+any}", false, "", ""},
		{"user:{id}", false, "", ""},
		{"://rows/{id}", false, "", ""},
		{"rows/{id}", false, "", ""},
		{":{x}", false, "", ""},
		{"db:", false, "", ""},
	}
	several, alone := newRegistry(Prefix, nil, "a", "b"), newRegistry(Prefix, nil, "a")
	for _, tt := range tests {
		c := several.reach(tt.template)
		if c.routed != tt.routed {
			t.Errorf("%s: routed is %v", tt.template, c.routed)
		}
		if !alone.reach(tt.template).routed {
			t.Errorf("%s: not routed though there is no other server", tt.template)
		}
		for uri := range strings.FieldsSeq(tt.yes) {
			if !c.matches(uri) {
				t.Errorf("%s does not reach %s", tt.template, uri)
			}
		}
		for uri := range strings.FieldsSeq(tt.no) {
			if c.matches(uri) {
				t.Errorf("%s reaches %s", tt.template, uri)
			}
		}
	}
}

func inState(it Item, s State) Item {
	it.State = s
	return it
}

// A later server takes over no URI that an earlier one has: not by listing it,
// not by a template, not while that one is judged, withheld or away.
func TestNoURIIsTakenOver(t *testing.T) {
	earlier := map[string]func(r *Registry, s State){
		"listing": func(r *Registry, s State) {
			r.Install("early", Resources, list(inState(uri(Resources, "db://rows/7"), s)))
		},
		"template": func(r *Registry, s State) {
			r.Install("early", Templates, list(inState(uri(Templates, "db://rows/{id}"), s)))
		},
	}
	later := map[string]func(r *Registry){
		"lists it":                func(r *Registry) { r.Install("late", Resources, list(uri(Resources, "db://rows/7"))) },
		"has a narrower template": func(r *Registry) { r.Install("late", Templates, list(uri(Templates, "db://rows/7{?x}"))) },
		"has the same template":   func(r *Registry) { r.Install("late", Templates, list(uri(Templates, "db://rows/{id}"))) },
		"has any template":        func(r *Registry) { r.Install("late", Templates, list(uri(Templates, "{+any}"))) },
	}
	for has, installEarly := range earlier {
		for does, installLate := range later {
			for _, first := range []bool{false, true} {
				for s := Held; s <= Failed; s++ {
					r := newRegistry(Prefix, nil, "early", "late")
					if first {
						installLate(r)
						r.Owner("db://rows/7")
					}
					installEarly(r, s)
					if !first {
						installLate(r)
					}
					name := fmt.Sprintf("%s in state %s, a later server %s (first: %v)", has, s, does, first)
					to, ok := r.Owner("db://rows/7")
					if ok != s.listed() || ok && to.Server != "early" {
						t.Errorf("%s: leads to %+v", name, to)
					}
					r.Remove("early")
					if to, ok := r.Owner("db://rows/7"); ok {
						t.Errorf("%s, and the owner is away: leads to %+v", name, to)
					}
					if server, ok := r.Claimant("db://rows/7"); !ok || server != "early" {
						t.Errorf("%s, and the owner is away: belongs to %q", name, server)
					}
					r.Install("early", Resources, Listing{})
					r.Install("early", Templates, Listing{})
					if server, _ := r.Claimant("db://rows/7"); server == "early" {
						t.Errorf("%s: belongs to a server that does not list it any more", name)
					}
				}
			}
		}
	}
}

// What clients see listed leads to who listed it.
func TestWhatIsListedLeadsToWhoListsIt(t *testing.T) {
	parts := []string{"a://x", "a://y", "b://x", "a://x/1", "a://x/1/2", "a://xy"}
	expressions := []string{"", "/{id}", "{/id}", "{id}", "{?q}", "/{+p}/z"}
	servers := []string{"one", "two", "three"}
	for range 2000 {
		r := newRegistry(Prefix, nil, servers[:1+rand.IntN(3)]...)
		for _, s := range servers {
			for _, k := range []Kind{Resources, Templates} {
				var items []Item
				for range rand.IntN(4) {
					text := parts[rand.IntN(len(parts))]
					if k == Templates {
						text += expressions[rand.IntN(len(expressions))]
					}
					items = append(items, inState(uri(k, text), State(rand.IntN(int(Failed)+1))))
				}
				r.Install(s, k, list(items...))
			}
		}
		for _, k := range []Kind{Resources, Templates} {
			for _, e := range r.Entries(k) {
				to, ok := r.Owner(e.Name)
				switch {
				case e.Public == "" && ok && to.Server == e.Server && !offers(r, &e):
					t.Fatalf("%s %s of %s is %s and leads to %+v\n%s\n%s", k, e.Name, e.Server, e.State, to, states(r, Resources), states(r, Templates))
				case e.Public != "" && (!ok || to.Server != e.Server) && !withholds(r, &e):
					t.Fatalf("%s %s of %s is listed and leads to %+v\n%s\n%s", k, e.Name, e.Server, to, states(r, Resources), states(r, Templates))
				}
			}
		}
	}
}

// offers reports whether the server lists the same URI, as a resource or the
// text of a template, in a state in which it is reached.
func offers(r *Registry, e *Entry) bool { return has(r, e, true) }

// withholds reports whether the server has a URI that servers take for the
// same, and that is kept from clients.
func withholds(r *Registry, e *Entry) bool { return has(r, e, false) }

func has(r *Registry, e *Entry, public bool) bool {
	for _, k := range []Kind{Resources, Templates} {
		for _, other := range r.Entries(k) {
			if other.Server == e.Server && canonical(other.Name) == canonical(e.Name) && (other.Public != "") == public {
				return true
			}
		}
	}
	return false
}

func TestMoreExactTemplateDecides(t *testing.T) {
	for s := Held; s <= Failed; s++ {
		r := newRegistry(Prefix, nil, "a", "b")
		r.Install("a", Templates, list(
			uri(Templates, "db://rows/{+path}"),
			inState(uri(Templates, "db://rows/admin/{id}"), s),
		))
		if to, ok := r.Owner("db://rows/admin/1"); ok != s.listed() {
			t.Errorf("%s: leads to %+v", s, to)
		}
		if _, ok := r.Owner("db://rows/other/1"); !ok {
			t.Errorf("%s: the wider template leads nowhere", s)
		}
	}
}

func TestWithheldURIInOtherSpellings(t *testing.T) {
	for _, servers := range [][]string{{"a"}, {"a", "b"}} {
		r := newRegistry(Prefix, nil, servers...)
		r.Install("a", Templates, list(uri(Templates, "db://rows/{+path}")))
		r.Install("a", Resources, list(inState(uri(Resources, "db://rows/Geheim/x"), Blocked), uri(Resources, "db://rows/geheim/X")))
		for _, spelling := range []string{
			"db://rows/Geheim/x", "db://rows/geheim/x", "db://rows/GEHEIM/X", "db://rows/%47eheim/x", "db://rows/%2547eheim/x",
			"db://rows/Geheim%2Fx", "db://rows/Geheim/x/", "db://rows/Geheim//x", "db://rows/./Geheim/x", "db://rows/y/../Geheim/x",
			"db://rows/%2e/Geheim/x", `db://rows/Geheim\x`, "db://rows/Geheim/x?y=1", "db://rows/Geheim/x#y", "db://rows/Geheim/x?a#b",
			"db://rows/Ｇeheim/x", "db://rows/Geheim/x?", "db://rows/geheim%5Cx",
		} {
			if to, ok := r.Owner(spelling); ok {
				t.Errorf("%s leads to %+v", spelling, to)
			}
		}
		for _, other := range []string{"db://rows/geheim/X", "db://rows/geheim", "db://rows/geheim/x/y", "db://rows/x"} {
			if _, ok := r.Owner(other); !ok {
				t.Errorf("%s leads nowhere", other)
			}
		}
	}
}

func TestTemplatesTakeResourcesWithThem(t *testing.T) {
	r := newRegistry(Prefix, nil, "early", "late")
	r.Install("late", Resources, list(uri(Resources, "db://rows/7")))
	if body := string(body(r, Resources)); !strings.Contains(body, "db://rows/7") {
		t.Fatalf("listed %s", body)
	}
	if !r.Install("early", Templates, list(inState(uri(Templates, "db://rows/{id}"), Held))) {
		t.Error("clients see a resource less, and nobody says so")
	}
	if got := states(r, Resources); got != "late/db://rows/7=:failed" {
		t.Errorf("states %s", got)
	}
	p, _ := r.Page(Resources, protocol.Legacy, "")
	if string(p.Body) != `{"resources":[]}` {
		t.Errorf("listed %s", p.Body)
	}
}

func FuzzURI(f *testing.F) {
	for _, s := range []string{"db://rows/{id}", "file:///{path}", "a:%2", "a:%2525%2f", "{", "a:{?", "A://B/../c?d#e", `a:\\b\`, "\xff:%zz", "ſ://K"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, template, uri string) {
		r := newRegistry(Prefix, nil, "a", "b")
		if c := r.reach(template); c.routed && c.matches(uri) && !strings.HasPrefix(uri, c.prefix) {
			t.Errorf("%q reaches %q", template, uri)
		}
		// One canonical form for all spellings that differ by case alone, and
		// every form is among the spellings.
		if full := spellings(uri)[0]; full != canonical(uri) {
			t.Errorf("%q, but %q", full, canonical(uri))
		}
		// Whoever lists a URI reaches it, and nobody else does.
		r.Install("a", Resources, Listing{Items: []Item{{Name: template, State: Offered}}})
		r.Install("b", Resources, Listing{Items: []Item{{Name: uri, State: Offered}}})
		to, ok := r.Owner(template)
		if template != "" && (!ok || to.Server != "a") {
			t.Errorf("%q leads to %+v", template, to)
		}
	})
}
