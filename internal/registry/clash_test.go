package registry

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestClashes(t *testing.T) {
	r := newRegistry(Prefix, map[string]string{"c": "twin", "d": "twin"}, "a", "b", "c", "d")
	r.Install("a", Resources, list(uri(Resources, "x://one/1"), uri(Resources, "y://late/1"), uri(Resources, "y://late/2")))
	r.Install("a", Templates, list(uri(Templates, "db://rows/{id}")))
	r.Install("b", Resources, list(uri(Resources, "x://one/1"), inState(uri(Resources, "db://rows/7"), Blocked), uri(Resources, "b://own/1")))
	r.Install("b", Templates, list(uri(Templates, "db://rows/{id}"), uri(Templates, "y://late/{n}"), uri(Templates, "{+any}")))
	r.Install("c", Resources, list(uri(Resources, "z://same/1")))
	r.Install("d", Resources, list(uri(Resources, "z://same/1")))
	var got []string
	for _, c := range r.Clashes() {
		got = append(got, fmt.Sprintf("%s %s of %s: %s by %s", c.Kind, c.Name, c.Server, c.Owner, c.By))
	}
	want := []string{
		"resource x://one/1 of b: a by x://one/1",
		"resource db://rows/7 of b: a by db://rows/{id}",
		"resource template db://rows/{id} of b: a by db://rows/{id}",
		"resource template y://late/{n} of b: a by y://late/1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("clashes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTemplateThatIsNotRoutedSaysSo(t *testing.T) {
	r := newRegistry(Prefix, nil, "a", "b")
	r.Install("a", Templates, list(uri(Templates, "file:///{path}"), uri(Templates, "db://rows/{id}")))
	e := r.Entries(Templates)
	if !strings.Contains(e[0].Reason, "nothing is read through it") || e[0].State != Offered || e[1].Reason != "" {
		t.Errorf("%+v", e)
	}
}

func TestLookalikes(t *testing.T) {
	tests := []struct {
		a, b  string
		alike bool
	}{
		{"Read", "read", true},
		{"read_file", "read-file", false},
		{"read_file", "read_file2", false},
		{"list_l", "list_1", true},
		{"list_I", "list_l", true},
		{"O", "0", true},
		{"form", "forrn", true},
		{"b", "d", false},
		{"STRASSE", "strasse", true},
	}
	for _, tt := range tests {
		r := newRegistry(Bare, nil, "a", "b")
		r.Install("a", Tools, list(tool(tt.a, "")))
		r.Install("b", Tools, list(tool(tt.b, "")))
		got := r.Lookalikes(Tools)
		if (len(got) == 1 && got[0] == [2]string{tt.a, tt.b}) != tt.alike || len(got) > 1 {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
	}
	r := newRegistry(Prefix, nil, "a", "b")
	r.Install("a", Resources, list(uri(Resources, "https://paypal.example/x"), uri(Resources, "https://PayPal.example/x")))
	if got := r.Lookalikes(Resources); len(got) != 0 {
		t.Errorf("of one server: %v", got)
	}
	for _, other := range []string{"https://pаypаl.example/x", "https://ｐaypal.example/x", "https://paypa1.example/x"} {
		r.Install("b", Resources, list(uri(Resources, other)))
		if got := r.Lookalikes(Resources); len(got) != 1 || got[0][1] != other {
			t.Errorf("%s: %v", other, got)
		}
	}
}
