package registry

import (
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/protocol"
)

// What is in no state to be offered has no route: by no name that it ever had
// or could have, of no kind and in no naming.
func TestNothingButWhatIsOfferedHasARoute(t *testing.T) {
	const original = "db://rows/secret" // as good a name of a tool as of a resource
	for _, naming := range []Naming{Prefix, Bare} {
		for _, k := range Kinds {
			for s := Held; s <= Failed+1; s++ { // also a state that there is not
				for _, wasOffered := range []bool{false, true} {
					r := newRegistry(naming, nil, "a", "b")
					var spellings []string
					raw := []byte(`{"name":"` + original + `","uri":"` + original + `","uriTemplate":"` + original + `"}`)
					it := NewItem(k, raw)
					if wasOffered {
						it.State = Offered
						r.Install("a", k, list(it))
						spellings = members(t, k, body(r, k)) // a client has seen it
					}
					it.State = s
					// Something else that is offered, and could lead there.
					r.Install("a", Resources, list(uri(Resources, "db://rows/other")))
					r.Install("a", Templates, list(uri(Templates, "db://rows/{+id}")))
					if k == Resources || k == Templates {
						other := map[Kind]Item{Resources: uri(Resources, "db://rows/other"), Templates: uri(Templates, "db://rows/{+id}")}
						r.Install("a", k, list(other[k], it))
					} else {
						r.Install("a", k, list(it))
					}
					for _, base := range append(spellings, original, prefixed("a", original, 50), "a__"+original) {
						for _, name := range []string{
							base, " " + base, base + " ", strings.ToUpper(base), strings.Title(base), base + "\x00", base + "/", //nolint:staticcheck // any change of case will do
							strings.ReplaceAll(base, "s", "%73"), strings.ReplaceAll(base, "s", "ſ"),
						} {
							for _, by := range Kinds {
								if to, ok := r.Route(by, name); ok && !s.listed() {
									t.Errorf("%s in state %s (was offered: %v): the %s %q leads to %+v", k, s, wasOffered, by, name, to)
								}
							}
							if k != Resources && k != Templates {
								continue
							}
							if to, ok := r.Owner(name); ok && !s.listed() && canonical(name) == canonical(original) {
								t.Errorf("%s in state %s (was offered: %v): %q leads to %+v", k, s, wasOffered, name, to)
							}
						}
					}
					for _, era := range []protocol.Era{protocol.Legacy, protocol.Modern} {
						p, _ := r.Page(k, era, "")
						if strings.Contains(string(p.Body), "secret") != s.listed() {
							t.Errorf("%s in state %s: listed as %s", k, s, p.Body)
						}
					}
				}
			}
		}
	}
}

// The states that the registry gives by itself have no route either.
func TestWhatTheRegistryWithholdsHasNoRoute(t *testing.T) {
	twins := map[string]string{"a": "same", "b": "same"}
	for _, k := range Kinds {
		r := New(Options{MaxName: 50, MaxTools: 2}, []string{"a", "b"}, twins)
		raw := func(name string) Item {
			it := NewItem(k, []byte(`{"name":"`+name+`","uri":"`+name+`","uriTemplate":"`+name+`"}`))
			it.State = Offered
			return it
		}
		r.Install("a", k, list(raw("x:y/1"), raw("x:y/2"), raw("x:y/3")))
		r.Install("b", k, list(raw("x:y/1")))
		for _, e := range r.Entries(k) {
			if e.Public != "" {
				continue
			}
			for _, name := range []string{prefixed(e.Server, e.Name, 50), e.Name} {
				for _, by := range Kinds {
					if to, ok := r.Route(by, name); ok && to.Server == e.Server && to.Name == e.Name {
						t.Errorf("%s %s of %s is %s, and %q leads to it", k, e.Name, e.Server, e.State, name)
					}
				}
				if to, ok := r.Owner(name); ok && to.Server == e.Server && to.Name == e.Name {
					t.Errorf("%s %s of %s is %s, and %q is read from it", k, e.Name, e.Server, e.State, name)
				}
			}
		}
	}
}
