package definitions

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/registry"
)

// FuzzClassify: any two definitions can be compared, a change is always of some
// class, and the same is never one.
func FuzzClassify(f *testing.F) {
	f.Add(tool("a", plain, ""), tool("b", shut, `,"icons":[{"src":"https://a.example"}]`))
	f.Add(`{"name":"p","arguments":[{"name":"a"}]}`, `{"name":"p","arguments":[{"name":"a","required":true}]}`)
	f.Add(`{"inputSchema":{"anyOf":[{"maximum":1e999}]}}`, `{"inputSchema":{"anyOf":[{"maximum":-0}]}}`)
	f.Add(`"\ud800"`, `[[[{"a":null}]]]`)
	f.Fuzz(func(t *testing.T, old, now string) {
		for _, k := range registry.Kinds {
			a, b := canonical(k, []byte(old)), canonical(k, []byte(now))
			if canonical(k, []byte(a)) != a {
				t.Errorf("the canonical form %q has another one", a)
			}
			if got := classify(kindOf(k), a, b); (got == 0) != (a == b && a != "") {
				t.Errorf("%s: %q and %q: %s", k, a, b, got)
			}
			x, y := likenessOf(kindOf(k), a), likenessOf(kindOf(k), b)
			if x.like(&y) != y.like(&x) {
				t.Errorf("%q and %q are alike in one direction", a, b)
			}
		}
		classify(Instructions, old, now)
		addresses(old)
	})
}

// FuzzRecord: a stored record is refused, or read and written the same.
func FuzzRecord(f *testing.F) {
	rec := newRecord(&server{Server: Server{Name: "s", Identity: "1"}, config: config}, time0)
	rec.Listed = []Kind{"tool", Instructions}
	e := rec.ensure("tool", "a")
	rec.set(&e.Approved, &Form{Hash: hashOf("{}"), Text: "{}", Since: time0})
	rec.set(&e.Held, &Form{Hash: "00", Classes: Schema | URL, Running: true, Was: "b"})
	data, err := rec.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"version":1,"items":[{"kind":"tool","approved":{"hash":"x"}},{"kind":"tool","approved":{"hash":"x"}}]}`))
	f.Add([]byte(strings.Repeat("[", 20_000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decodeRecord(data)
		if err != nil {
			return
		}
		for i := range rec.Items {
			rec.pending(&rec.Items[i])
		}
		once, err := rec.encode()
		if err != nil {
			t.Skip() // a time beyond the year 9999
		}
		again, err := decodeRecord(once)
		if err != nil {
			t.Fatalf("%s is refused: %v", once, err)
		}
		if twice, err := again.encode(); err != nil || !bytes.Equal(twice, once) {
			t.Errorf("%s became %s, %v", once, twice, err)
		}
	})
}
