package verdict

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

func TestInventory(t *testing.T) {
	got := NewInventory(map[string][]string{"b": {"z", "a", "z"}, "a": {"m", ""}, "c": nil})
	if want := []Offered{{"a", "m"}, {"b", "a"}, {"b", "z"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := NewInventory(nil); got != nil {
		t.Errorf("nothing became %v", got)
	}
}

// A server with tools without end leaves others their place.
func TestInventoryIsShared(t *testing.T) {
	var flood []string
	for i := range 5000 {
		flood = append(flood, fmt.Sprintf("a_tool_with_a_long_name_%05d", i))
	}
	for _, padding := range []string{"", string(slices.Repeat([]byte("x"), 900))} {
		tools := map[string][]string{"aaa": nil, "small": {"one", "two", "three"}}
		for _, name := range flood {
			tools["aaa"] = append(tools["aaa"], padding+name)
		}
		got := NewInventory(tools)
		size := 0
		for _, o := range got {
			size += len(o.Server) + len(o.Name)
		}
		if len(got) > maxInventory || size > maxInventoryBytes {
			t.Errorf("%d entries of %d bytes", len(got), size)
		}
		for _, name := range tools["small"] {
			if !slices.Contains(got, Offered{"small", name}) {
				t.Errorf("%s was crowded out", name)
			}
		}
		slices.Reverse(tools["aaa"])
		if !reflect.DeepEqual(NewInventory(tools), got) {
			t.Error("another order makes another inventory")
		}
	}
}
