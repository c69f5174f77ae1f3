package verdictcache

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// flip changes a value to another one.
func flip(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8:
		v.SetUint(v.Uint() + 1)
	case reflect.Array:
		flip(t, v.Index(v.Len()-1))
	default:
		t.Fatalf("nothing flips a %s", v.Type())
	}
}

// leaves calls f for every part, by its index.
func leaves(v reflect.Value, path string, f func(v reflect.Value, path string)) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+v.Type().Field(i).Name
		if field.Kind() == reflect.Struct {
			leaves(field, name+".", f)
			continue
		}
		f(field, name)
	}
}

// Each part counts: no field of the key can be forgotten.
func TestEveryPartCounts(t *testing.T) {
	base := parts{}
	seen := map[Sum]string{base.sum(): "nothing"}
	p := parts{}
	leaves(reflect.ValueOf(&p).Elem(), "", func(v reflect.Value, path string) {
		before := p
		flip(t, v)
		if other, ok := seen[p.sum()]; ok {
			t.Errorf("%s and %s have the same key", path, other)
		}
		seen[p.sum()] = path
		p = before
	})
	if len(seen) < 20 {
		t.Errorf("only %d parts", len(seen))
	}
}

// Everything of a content counts but the ids of session and exchange.
func TestEveryPartOfContentCounts(t *testing.T) {
	content := verdict.Content{Data: []byte("data"), Request: []byte("request")}
	base := partsOf(&Identity{}, &content)
	visit := func(path string) {
		p := partsOf(&Identity{}, &content)
		left := path == "Origin.Session" || path == "Origin.Call"
		if (p.sum() == base.sum()) != left {
			t.Errorf("%s: counts is %t", path, left)
		}
	}
	leaves(reflect.ValueOf(&content).Elem(), "", func(v reflect.Value, path string) {
		before := content
		if path == "Inventory" {
			return // see TestInventoryCounts
		}
		if v.Kind() == reflect.Slice {
			v.SetBytes([]byte("other"))
		} else {
			flip(t, v)
		}
		visit(path)
		content = before
	})
	content.Request = nil
	visit("no request")
	content.Request = []byte{}
	visit("an empty request")
}

// What other servers offer counts for who uses it, and for nobody else.
func TestInventoryCounts(t *testing.T) {
	key := func(uses bool, offered ...verdict.Offered) Sum {
		p := partsOf(&Identity{Inventory: uses}, &verdict.Content{Phase: verdict.Definition, Inventory: offered})
		return p.sum()
	}
	one, two := verdict.Offered{Server: "a", Name: "bc"}, verdict.Offered{Server: "ab", Name: "c"}
	if key(false, one) != key(false) || key(false, one) != key(false, two) {
		t.Error("it counts for a scanner that does not see it")
	}
	seen := map[Sum]bool{key(true): true, key(true, one): true, key(true, two): true, key(true, one, two): true, key(false): true}
	if len(seen) != 5 {
		t.Error("different inventories have the same key")
	}
	again := key(true, one)
	if !seen[again] {
		t.Error("the same inventory has different keys")
	}
}

// A part does not run into the next.
func TestPartsHaveEnds(t *testing.T) {
	a := parts{Server: "ab", Method: "c"}
	b := parts{Server: "a", Method: "bc"}
	if a.sum() == b.sum() {
		t.Error("server and method run together")
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	rules, other := filepath.Join(dir, "rules"), filepath.Join(dir, "other")
	config := []byte(`{"a":[{"rules":"` + filepath.ToSlash(rules) + `"}],"b":"relative"}`)
	seen := map[Sum]string{}
	note := func(what string, f *Files) {
		t.Helper()
		if was, ok := seen[f.Sum()]; ok {
			t.Errorf("%s is like %s", what, was)
		}
		seen[f.Sum()] = what
	}
	note("no file", NewFiles(config, nil))
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(rules, "one")
	f := NewFiles(config, nil)
	note("a file", f)
	if err := os.Chtimes(rules, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	write(rules, "two")
	f.looked = time.Time{} // a second has passed
	note("another file", f)
	if again := f.Sum(); seen[again] != "another file" {
		t.Error("nothing changed")
	}
	write(other, "x")
	note("an argument", NewFiles(config, []string{other}))
	note("no configuration", NewFiles(nil, nil))
	note("another configuration", NewFiles([]byte(`{}`), nil))
	note("an argument that is no file", NewFiles(nil, []string{"x"}))
	seen = map[Sum]string{NewFiles([]byte(`{}`), nil).Sum(): "the same"}
	if again := NewFiles([]byte(`{}`), nil).Sum(); seen[again] == "" {
		t.Error("the same is not the same")
	}
}
