package registry

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// members returns the names that a list result holds.
func members(t *testing.T, k Kind, body []byte) []string {
	t.Helper()
	if err := jsonrpc.Validate(body, nil); err != nil {
		t.Fatalf("%s is not valid: %v", body, err)
	}
	list, _ := jsonrpc.Member(body, k.Member())
	var all []string
	for raw := range jsonrpc.Elements(list) {
		value, _ := jsonrpc.Member(raw, facts[k].key)
		name, _ := jsonrpc.Unquote(value)
		all = append(all, name)
	}
	return all
}

func paged(size int, servers ...string) *Registry {
	return New(Options{MaxName: 50, MaxTools: 10_000, PageSize: size}, servers, nil)
}

func numbered(n int) []Item {
	var all []Item
	for i := range n {
		all = append(all, tool(fmt.Sprintf("t%d", i), ""))
	}
	return all
}

func TestPagesHoldEverythingOnce(t *testing.T) {
	for _, size := range []int{0, 1, 2, 3, 7, 9, 10, 1000} {
		for _, era := range []protocol.Era{protocol.Legacy, protocol.Modern} {
			r := paged(size, "a", "b", "c", "d")
			r.Install("a", Tools, list(numbered(4)...))
			r.Install("c", Tools, list(numbered(5)...))
			r.Install("d", Tools, list(tool("t", ""), Item{Name: "held", Raw: []byte(`{"name":"held"}`)}))
			var got []string
			for after := ""; ; {
				p, ok := r.Page(Tools, era, after)
				if !ok {
					t.Fatalf("size %d: no page behind %q", size, after)
				}
				names := members(t, Tools, p.Body)
				if size > 0 && len(names) > size || len(names) == 0 {
					t.Errorf("size %d: a page of %d", size, len(names))
				}
				got = append(got, names...)
				if after = p.Next; after == "" {
					break
				}
			}
			want := "a__t0 a__t1 a__t2 a__t3 c__t0 c__t1 c__t2 c__t3 c__t4 d__t"
			if strings.Join(got, " ") != want {
				t.Errorf("size %d, %s: listed %v", size, era, got)
			}
		}
	}
}

func TestPagesOfEachEra(t *testing.T) {
	r := New(Options{MaxName: 50, MaxTools: 10, ResultMeta: []byte(`{"x":1}`)}, []string{"a"}, nil)
	r.Install("a", Prompts, list(NewItem(Prompts, []byte(`{"name":"p"}`))))
	tests := []struct {
		kind Kind
		era  protocol.Era
		want string
	}{
		{Tools, protocol.Legacy, `{"tools":[]}`},
		{Tools, protocol.Modern, `{"tools":[],"resultType":"complete","ttlMs":60000,"cacheScope":"private","_meta":{"x":1}}`},
		{Templates, protocol.Legacy, `{"resourceTemplates":[]}`},
		{Prompts, protocol.Legacy, `{"prompts":[]}`}, // held
	}
	for _, tt := range tests {
		p, ok := r.Page(tt.kind, tt.era, "")
		if string(p.Body) != tt.want || p.Next != "" || !ok {
			t.Errorf("%s, %s: %s", tt.kind, tt.era, p.Body)
		}
	}
}

func TestCursorIsAddedToACopy(t *testing.T) {
	r := paged(0, "a")
	r.Install("a", Tools, list(tool("x", "")))
	p, _ := r.Page(Tools, protocol.Legacy, "")
	if got := string(p.WithCursor(`a"b`)); got != `{"tools":[{"name":"a__x"}],"nextCursor":"a\"b"}` {
		t.Errorf("got %s", got)
	}
	if got := p.WithCursor(""); &got[0] != &p.Body[0] {
		t.Error("a page without cursor was copied")
	}
	if again, _ := r.Page(Tools, protocol.Legacy, ""); string(again.Body) != `{"tools":[{"name":"a__x"}]}` {
		t.Errorf("the page was changed: %s", again.Body)
	}
}

func TestLongDefinitionsMakeMorePages(t *testing.T) {
	r := paged(0, "a")
	long := `,"description":"` + strings.Repeat("x", maxPage*2/5) + `"`
	r.Install("a", Tools, list(tool("1", long), tool("2", long), tool("3", long), tool("4", long+long), tool("5", long)))
	var sizes []int
	after := ""
	for {
		p, _ := r.Page(Tools, protocol.Modern, after)
		sizes = append(sizes, strings.Count(string(p.Body), `"name"`))
		if after = p.Next; after == "" {
			break
		}
	}
	if !slices.Equal(sizes, []int{2, 1, 1, 1}) {
		t.Errorf("pages of %v items", sizes)
	}
}

func TestPositionsThatAreNone(t *testing.T) {
	r := paged(2, "a", "b")
	r.Install("a", Tools, list(numbered(5)...))
	for _, after := range []string{"x", "a", "a\x00", "a\x00nope", "\x00", "\x00t1", "c\x00t1", "a\x00t1\x00", "a__t1", "A\x00t1"} {
		if p, ok := r.Page(Tools, protocol.Legacy, after); ok {
			t.Errorf("%q leads to %s", after, p.Body)
		}
	}
	// Of another kind it is none either, unless an item has the same name.
	p, _ := r.Page(Tools, protocol.Legacy, "")
	r.Install("a", Prompts, list(NewItem(Prompts, []byte(`{"name":"p"}`))))
	if _, ok := r.Page(Prompts, protocol.Legacy, p.Next); ok {
		t.Error("a position of tools is one of prompts")
	}
}

// Between two pages other items come, go and change state. What was there all
// the time is listed, and nothing is listed twice.
func TestPositionsOutliveChanges(t *testing.T) {
	servers := []string{"a", "b", "c"}
	for range 300 {
		r := paged(1+rand.IntN(5), servers...)
		// What each server could offer, in its order, and what it does.
		offer := map[string][]bool{}
		install := func(server string) {
			var items []Item
			for i, there := range offer[server] {
				if there {
					it := tool(fmt.Sprintf("t%d", i), "")
					it.State = []State{Offered, Offered, Hidden, Blocked}[rand.IntN(4)]
					items = append(items, it)
				}
			}
			r.Install(server, Tools, list(items...))
		}
		for _, s := range servers {
			for range rand.IntN(12) {
				offer[s] = append(offer[s], rand.IntN(3) > 0)
			}
			install(s)
		}
		always := r.listedNow()
		seen := map[string]int{}
		for after := ""; ; {
			p, ok := r.Page(Tools, protocol.Era(rand.IntN(2)), after)
			if !ok {
				t.Fatalf("the position %q is lost", after)
			}
			for _, name := range members(t, Tools, p.Body) {
				if seen[name]++; seen[name] > 1 {
					t.Fatalf("%s is listed twice", name)
				}
			}
			if after = p.Next; after == "" {
				break
			}
			s := servers[rand.IntN(len(servers))]
			last, lastItem, _ := strings.Cut(after, "\x00")
			if rand.IntN(5) == 0 {
				offer[s] = nil // it is gone, and what it listed with it
			}
			for i := range offer[s] {
				if s != last || fmt.Sprintf("t%d", i) != lastItem {
					offer[s][i] = rand.IntN(3) > 0
				}
			}
			install(s)
			now := r.listedNow()
			for name := range always {
				if !now[name] {
					delete(always, name)
				}
			}
		}
		for name := range always {
			if seen[name] == 0 {
				t.Fatalf("%s was there all the time and is not listed", name)
			}
		}
	}
}

// listedNow returns the public names that are listed.
func (r *Registry) listedNow() map[string]bool {
	names := map[string]bool{}
	for _, e := range r.Entries(Tools) {
		if e.Public != "" {
			names[e.Public] = true
		}
	}
	return names
}

func TestPositionOfAnItemThatIsGone(t *testing.T) {
	r := paged(2, "a", "b")
	r.Install("a", Tools, list(numbered(5)...))
	r.Install("b", Tools, list(tool("x", "")))
	p, _ := r.Page(Tools, protocol.Legacy, "")
	r.Install("a", Tools, list(numbered(1)...))
	if _, ok := r.Page(Tools, protocol.Legacy, p.Next); ok {
		t.Error("there is a page behind an item that is gone")
	}
	// When all of the server's are, there is nothing to leave out or to repeat.
	r.Remove("a")
	if rest, ok := r.Page(Tools, protocol.Legacy, p.Next); !ok || string(rest.Body) != `{"tools":[{"name":"b__x"}]}` {
		t.Errorf("got %s", rest.Body)
	}
}

func TestPagesAreRenderedOnce(t *testing.T) {
	r := paged(0, "a", "b")
	r.Install("a", Tools, list(numbered(3)...))
	first, _ := r.Page(Tools, protocol.Modern, "")
	r.Install("a", Tools, list(numbered(3)...)) // listed again, and the same
	r.Install("b", Tools, list(Item{Name: "held", Raw: []byte(`{"name":"held"}`)}))
	if again, _ := r.Page(Tools, protocol.Modern, ""); &again.Body[0] != &first.Body[0] {
		t.Error("nothing changed for clients, and the page was made anew")
	}
	r.Install("b", Tools, list(tool("x", "")))
	if again, _ := r.Page(Tools, protocol.Modern, ""); len(members(t, Tools, again.Body)) != 4 {
		t.Errorf("an old page: %s", again.Body)
	}
	if n := testing.AllocsPerRun(100, func() { r.Page(Tools, protocol.Modern, "") }); n != 0 {
		t.Errorf("%v allocations for each request", n)
	}
}

func TestTTL(t *testing.T) {
	says := func(d time.Duration) Listing { return Listing{TTL: d, HasTTL: true} }
	tests := []struct {
		name string
		a, b Listing
		want string
	}{
		{"nobody says anything", Listing{}, Listing{TTL: time.Second}, "60000"},
		{"one does", says(5 * time.Second), Listing{}, "5000"},
		{"the least counts", says(5 * time.Second), says(time.Second), "1000"},
		{"a year is too long", says(365 * 24 * time.Hour), Listing{}, "60000"},
		{"not at all", says(0), Listing{}, "0"},
		{"nonsense", says(-time.Hour), Listing{}, "0"},
		{"less than can be said", says(time.Microsecond), Listing{}, "0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := paged(0, "a", "b")
			r.Install("a", Resources, tt.a)
			r.Install("b", Resources, tt.b)
			p, _ := r.Page(Resources, protocol.Modern, "")
			if got, _ := jsonrpc.Member(p.Body, "ttlMs"); string(got) != tt.want {
				t.Errorf("ttlMs %s, want %s", got, tt.want)
			}
			r.Remove("a")
			r.Remove("b")
			p, _ = r.Page(Resources, protocol.Modern, "")
			if got, _ := jsonrpc.Member(p.Body, "ttlMs"); string(got) != "60000" {
				t.Errorf("ttlMs %s when the servers are gone", got)
			}
		})
	}
}

func TestMirrors(t *testing.T) {
	good := tool("good", `,"inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}`)
	bad := tool("bad", `,"inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"not a token"}}}`)
	blocked := bad
	blocked.State = Blocked
	for _, headers := range []bool{false, true} {
		r := paged(0, "a")
		r.Install("a", Tools, Listing{Items: []Item{good, bad, blocked, tool("plain", "")}, Headers: headers})
		to, ok := r.Route(Tools, "a__good")
		if !ok || len(to.Mirrors) != 1 || to.Mirrors[0].Header != "Region" {
			t.Errorf("leads to %+v", to)
		}
		if to, ok := r.Route(Tools, "a__bad"); ok == headers || len(to.Mirrors) != 0 {
			t.Errorf("headers %v: an annotation that is not valid leads to %+v", headers, to)
		}
		want := "a/good=a__good:offered a/bad=a__bad:offered a/bad=:blocked a/plain=a__plain:offered"
		if headers {
			want = "a/good=a__good:offered a/bad=:failed a/bad=:blocked a/plain=a__plain:offered"
		}
		if got := states(r, Tools); got != want {
			t.Errorf("headers %v: states %s", headers, got)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	r := paged(1000, "a")
	schema := `,"description":"` + strings.Repeat("what it does ", 20) + `","inputSchema":{"type":"object","properties":{"x":{"type":"string"}}}`
	var items []Item
	for i := range 1000 {
		items = append(items, tool(fmt.Sprintf("tool_%d", i), schema))
	}
	r.Install("a", Tools, list(items...))
	b.Run("kept", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if p, ok := r.Page(Tools, protocol.Modern, ""); !ok || p.Next != "" {
				b.Fatal("no page")
			}
		}
	})
	b.Run("changed", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r.Install("a", Tools, list(items[:999+i%2]...))
			r.Page(Tools, protocol.Modern, "")
		}
	})
}
