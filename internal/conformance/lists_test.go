package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// kindOfList is one of the lists that servers offer.
type kindOfList struct {
	method, member, def, key string
}

var kindsOfLists = []kindOfList{
	{"tools/list", "tools", "Tool", "name"},
	{"prompts/list", "prompts", "Prompt", "name"},
	{"resources/list", "resources", "Resource", "uri"},
	{"resources/templates/list", "resourceTemplates", "ResourceTemplate", "uriTemplate"},
}

// TestListsKeepTheirBytes offers many definitions, written in many ways: each
// comes out as it went in.
func TestListsKeepTheirBytes(t *testing.T) {
	for _, w := range []way{
		{overPipe, overPipe, legacy, legacy}, {overHTTP, overHTTP, legacy, legacy},
		{overPipe, overPipe, modern, modern}, {overHTTP, overHTTP, modern, modern},
		{overHTTP, overPipe, modern, legacy}, {overPipe, overHTTP, legacy, modern},
	} {
		t.Run(w.String(), func(t *testing.T) {
			s := loadSchema(t, map[string]string{legacy: lastLegacy, modern: firstModern}[w.server])
			offered := map[string]map[string]string{} // by method and key
			lists := map[string]string{}
			for _, k := range kindsOfLists {
				offered[k.method] = k.offer(s)
				var items []string
				for _, item := range offered[k.method] {
					items = append(items, item)
				}
				lists[k.method] = `{"` + k.member + `":[` + strings.Join(items, " , ") + `]}`
			}
			r := newRigBare(t, w, lists)
			for _, k := range kindsOfLists {
				got := r.fetch(t, k)
				for key, want := range offered[k.method] {
					if have, ok := got[key]; !ok {
						t.Errorf("%s lacks %s", k.method, key)
					} else if have != want {
						t.Errorf("%s, %s: %s", k.method, key, difference(want, have))
					}
				}
				if len(got) != len(offered[k.method]) || len(got) < 20 {
					t.Errorf("%s: %d of %d came out", k.method, len(got), len(offered[k.method]))
				}
			}
		})
	}
}

// offer makes definitions, by what they are known under.
func (k kindOfList) offer(s *schema) map[string]string {
	out := map[string]string{}
	for n := range variants {
		for j, m := range mutations {
			doc := s.make(k.def, n)
			key := fmt.Sprintf("item_%d_%d", n, j)
			switch k.key {
			case "uri":
				key = "file:///" + key
			case "uriTemplate":
				key = "file:///" + key + "/{x}"
			}
			doc.set(k.key, string(quote(key)))
			if i := doc.member("execution"); i >= 0 { // a tool that is a task needs more than a list
				doc.drop("execution")
			}
			out[key] = m.apply(doc)
		}
	}
	return out
}

// fetch returns what a list offers, page by page, as it is written.
func (r *rig) fetch(t *testing.T, k kindOfList) map[string]string {
	t.Helper()
	out := map[string]string{}
	params := "{}"
	for range 100 {
		e := r.exchange(k.method, r.params(params))
		if e == nil || len(e.Result) == 0 {
			t.Fatalf("%s: no result", k.method)
		}
		var items []json.RawMessage
		if err := json.Unmarshal(member(e.Result, k.member), &items); err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			var key string
			if err := json.Unmarshal(member(item, k.key), &key); err != nil {
				t.Fatal(err)
			}
			out[key] = string(item)
		}
		next := member(e.Result, "nextCursor")
		if string(next) == "null" {
			break
		}
		params = `{"cursor":` + string(next) + `}`
	}
	return out
}
