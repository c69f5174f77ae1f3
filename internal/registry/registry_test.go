package registry

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

func tool(name, more string) Item {
	raw := fmt.Sprintf(`{"name":%s%s}`, jsonrpc.AppendString(nil, name), more)
	it := NewItem(Tools, []byte(raw))
	if it.State != Failed {
		it.State = Offered
	}
	return it
}

func list(items ...Item) Listing { return Listing{Items: items} }

func body(r *Registry, k Kind) []byte {
	p, _ := r.Page(k, protocol.Legacy, "")
	return p.Body
}

func newRegistry(naming Naming, twins map[string]string, servers ...string) *Registry {
	return New(Options{Naming: naming, MaxName: 50, MaxTools: 100}, servers, twins)
}

func page(t *testing.T, r *Registry, k Kind) []string {
	t.Helper()
	body := body(r, k)
	if err := jsonrpc.Validate(body, nil); err != nil {
		t.Fatalf("page %s is not valid: %v", body, err)
	}
	list, ok := jsonrpc.Member(body, k.Member())
	if !ok {
		t.Fatalf("page %s has no %s", body, k.Member())
	}
	var names []string
	for raw := range jsonrpc.Elements(list) {
		value, _ := jsonrpc.Member(raw, facts[k].key)
		name, _ := jsonrpc.Unquote(value)
		names = append(names, name)
	}
	return names
}

func states(r *Registry, k Kind) string {
	var all []string
	for _, e := range r.Entries(k) {
		all = append(all, fmt.Sprintf("%s/%s=%s:%s", e.Server, e.Name, e.Public, e.State))
	}
	return strings.Join(all, " ")
}

func TestPageRoutesWhatItLists(t *testing.T) {
	r := newRegistry(Prefix, nil, "a", "b")
	r.Install("b", Tools, list(tool("x", `,"n":12345678901234567890,"inputSchema":{"$schema":"s","type":"object"}`)))
	r.Install("a", Tools, list(tool("x", ""), tool("y.z", "")))
	names := page(t, r, Tools)
	if len(names) != 3 || names[0] != "a__x" || names[2] != "b__x" {
		t.Fatalf("listed %v", names)
	}
	for i, want := range []Route{{Server: "a", Name: "x", State: Offered}, {Server: "a", Name: "y.z", State: Offered}, {Server: "b", Name: "x", State: Offered}} {
		got, ok := r.Route(Tools, names[i])
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s leads to %+v, want %+v", names[i], got, want)
		}
	}
	if !strings.Contains(string(body(r, Tools)), `{"name":"b__x","n":12345678901234567890,"inputSchema":{"$schema":"s","type":"object"}}`) {
		t.Errorf("the definition was bent: %s", body(r, Tools))
	}
}

func TestBareNames(t *testing.T) {
	r := newRegistry(Bare, nil, "a", "b")
	// b is ready first, but nobody has looked yet: the earlier one keeps the name.
	r.Install("b", Tools, list(tool("x", ""), tool("only b", "")))
	r.Install("a", Tools, list(tool("x", "")))
	names := page(t, r, Tools)
	if names[0] != "x" || names[1] != "b__x" || !strings.HasPrefix(names[2], "b__only_b_") {
		t.Fatalf("listed %v", names)
	}
}

func TestNameNeverChangesOwner(t *testing.T) {
	r := newRegistry(Bare, nil, "a", "b")
	r.Install("b", Tools, list(tool("read_file", "")))
	if got := page(t, r, Tools); got[0] != "read_file" {
		t.Fatalf("listed %v", got)
	}
	// a is configured earlier, but a client has seen b's.
	r.Install("a", Tools, list(tool("read_file", "")))
	if to, _ := r.Route(Tools, "read_file"); to.Server != "b" {
		t.Errorf("read_file now leads to %s", to.Server)
	}
	// Not even when b's is gone.
	r.Install("b", Tools, Listing{})
	if to, ok := r.Route(Tools, "read_file"); ok {
		t.Errorf("read_file now leads to %s", to.Server)
	}
	if owner, ok := r.Former(Tools, "read_file"); !ok || owner != "b" {
		t.Errorf("former owner %q", owner)
	}
	if got := page(t, r, Tools); len(got) != 1 || got[0] != "a__read_file" {
		t.Errorf("listed %v", got)
	}
}

func TestOnlyOfferedIsListed(t *testing.T) {
	r := newRegistry(Prefix, nil, "a")
	held, blocked, hidden := tool("held", ""), tool("blocked", ""), tool("hidden", `,"_meta":{"x":1}`)
	held.State, blocked.State, hidden.State = Held, Blocked, Hidden
	r.Install("a", Tools, list(tool("ok", ""), held, blocked, hidden, tool("ok", ""), tool("", "")))
	if got := page(t, r, Tools); len(got) != 2 || got[0] != "a__ok" || got[1] != "a__hidden" {
		t.Fatalf("listed %v", got)
	}
	for _, name := range []string{"a__held", "a__blocked", "held", "ok"} {
		if to, ok := r.Route(Tools, name); ok {
			t.Errorf("%s leads to %+v", name, to)
		}
	}
	want := "a/ok=a__ok:offered a/held=:held a/blocked=:blocked a/hidden=a__hidden:hidden-mode a/ok=:failed a/=:failed"
	if got := states(r, Tools); got != want {
		t.Errorf("states\n got %s\nwant %s", got, want)
	}
	if !strings.Contains(string(body(r, Tools)), `"_meta":{"x":1,"mcp-relay/hidden_mode":true}`) {
		t.Errorf("hidden tool is not marked: %s", body(r, Tools))
	}
}

func TestTwinsAreListedOnce(t *testing.T) {
	r := newRegistry(Prefix, map[string]string{"a": "same", "b": "same", "c": "other"}, "a", "b", "c")
	for _, s := range []string{"a", "b", "c"} {
		r.Install(s, Tools, list(tool("x", "")))
	}
	if got := states(r, Tools); got != "a/x=a__x:offered b/x=:duplicate c/x=c__x:offered" {
		t.Errorf("states %s", got)
	}
}

func TestLimitWithholdsTheRest(t *testing.T) {
	r := New(Options{MaxName: 50, MaxTools: 2}, []string{"a", "b"}, nil)
	r.Install("a", Tools, list(tool("1", ""), tool("2", ""), tool("3", "")))
	r.Install("b", Tools, list(tool("1", "")))
	if got := states(r, Tools); got != "a/1=a__1:offered a/2=a__2:offered a/3=:failed b/1=:failed" {
		t.Errorf("states %s", got)
	}
}

func TestInstallTellsChanges(t *testing.T) {
	r := newRegistry(Prefix, nil, "a")
	if !r.Install("a", Tools, list(tool("x", ""))) {
		t.Error("a new tool is a change")
	}
	if r.Install("a", Tools, list(tool("x", ""))) {
		t.Error("the same tool is no change")
	}
	if got := r.Remove("a"); len(got) != 1 || got[0] != Tools {
		t.Errorf("removed %v", got)
	}
	if r.Install("nobody", Tools, list(tool("x", ""))) {
		t.Error("a server that is not configured offers nothing")
	}
}

func uri(k Kind, value string) Item {
	it := NewItem(k, fmt.Appendf(nil, `{%q:%q}`, facts[k].key, value))
	it.State = Offered
	return it
}

func TestOwnerOfURI(t *testing.T) {
	r := newRegistry(Prefix, nil, "early", "late")
	r.Install("early", Templates, list(uri(Templates, "db://rows/{id}")))
	r.Install("late", Resources, list(uri(Resources, "db://rows/7"), uri(Resources, "late://x")))
	r.Install("late", Templates, list(uri(Templates, "{+any}"), uri(Templates, "file:///{path}"), uri(Templates, "late://{x}")))
	tests := []struct{ uri, want string }{
		{"db://rows/7", "early"}, // a later server cannot list itself into an earlier one's template
		{"db://rows/8", "early"},
		{"late://x", "late"},
		{"late://y", ""}, // a template that fixes a scheme only matches too much
		{"file:///etc/passwd", ""},
		{"other://x", ""},
	}
	for _, tt := range tests {
		got, ok := r.Owner(tt.uri)
		if got.Server != tt.want || ok != (tt.want != "") {
			t.Errorf("%s belongs to %q, want %q", tt.uri, got.Server, tt.want)
		}
	}
}

func TestNewItem(t *testing.T) {
	tests := []struct{ raw, name, reason string }{
		{`{"name":"x"}`, "x", ""},
		{`{"name":"\u0078"}`, "x", ""},
		{`{"name":""}`, "", "no name"},
		{`{"name":7}`, "", "no name"},
		{`{}`, "", "no name"},
		{`[]`, "", "not an object"},
		{`"x"`, "", "not an object"},
	}
	for _, tt := range tests {
		it := NewItem(Tools, []byte(tt.raw))
		if it.Name != tt.name || it.Reason != tt.reason || (it.State == Failed) != (tt.reason != "") {
			t.Errorf("%s: %+v", tt.raw, it)
		}
	}
}
