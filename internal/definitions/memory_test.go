package definitions

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/registry"
)

// graded is the default policy.
var graded = Policy{Graded: true, Wording: Flag, Schema: Hold, Default: Hold, Annotation: Hold, URL: Hold, Renamed: Hold, New: Flag}

// process is one relay process over a home.
type process struct {
	t      *testing.T
	home   string
	memory *Memory
	mu     sync.Mutex
	all    []audit.Record
}

func (p *process) Write(r *audit.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, *r)
	return nil
}

// took returns what was recorded since it was last asked.
func (p *process) took() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for i := range p.all {
		r := &p.all[i]
		lines = append(lines, strings.TrimSpace(r.Outcome+" "+r.Target+" "+r.Reason))
	}
	p.all = nil
	return strings.Join(lines, "; ")
}

const config = "/etc/relay.yaml"

func openStore(t *testing.T, home string) *Store {
	t.Helper()
	s, err := OpenStore(home, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// begin starts a process.
func begin(t *testing.T, home string, change ...func(*Options)) *process {
	t.Helper()
	p := &process{t: t, home: home}
	o := Options{Policy: graded, Servers: []Server{{Name: "s", Identity: "1"}}, Store: openStore(t, home), Audit: p, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	p.memory = New(o)
	t.Cleanup(p.memory.Close)
	return p
}

// lists has the server list definitions of a kind and returns the names of
// those that are held.
func (p *process) listsKind(k registry.Kind, definitions ...string) string {
	p.t.Helper()
	var items []registry.Item
	var sent [][]byte
	for _, d := range definitions {
		state := registry.Offered
		if rest, ok := strings.CutPrefix(d, "blocked "); ok {
			d, state = rest, registry.Blocked
		}
		it := registry.NewItem(k, []byte(d))
		it.State, it.ScanID = state, "scan"
		items, sent = append(items, it), append(sent, []byte(d))
	}
	p.memory.Recall(p.t.Context(), "s", k, items, sent)
	var held []string
	for i := range items {
		if items[i].State == registry.Held {
			if held = append(held, items[i].Name); !strings.Contains(items[i].Reason, "relay tools") {
				p.t.Errorf("the reason is %q", items[i].Reason)
			}
		}
	}
	return strings.Join(held, " ")
}

func (p *process) lists(definitions ...string) string {
	p.t.Helper()
	return p.listsKind(registry.Tools, definitions...)
}

// want checks which definitions are held and what was recorded.
func (p *process) want(what, gotHeld, held, recorded string) {
	p.t.Helper()
	if gotHeld != held {
		p.t.Errorf("%s: held is %q, want %q", what, gotHeld, held)
	}
	if got := p.took(); got != recorded {
		p.t.Errorf("%s: recorded %q, want %q", what, got, recorded)
	}
}

// def returns a tool with properties.
func def(name, description string, properties ...string) string {
	all := make([]string, 0, len(properties))
	for _, p := range properties {
		all = append(all, `"`+p+`":{"type":"string"}`)
	}
	return `{"name":"` + name + `","description":"` + description + `","inputSchema":{"type":"object","properties":{` + strings.Join(all, ",") + `}}}`
}

// approve does what relay tools approve does with everything.
func (p *process) approve() []Pending {
	p.t.Helper()
	store := openStore(p.t, p.home)
	all, err := store.Pending("s")
	if err != nil {
		p.t.Fatal(err)
	}
	if err := store.Approve(p.t.Context(), all); err != nil {
		p.t.Fatal(err)
	}
	return all
}

func TestFirstSightIsTrusted(t *testing.T) {
	home := t.TempDir()
	p := begin(t, home)
	p.want("first", p.lists(def("a", longText, "x"), def("b", "d")), "", "")
	p.want("again", p.lists(def("b", "d"), def("a", longText, "x")), "", "")
	p = begin(t, home)
	p.want("another process", p.lists(def("a", longText, "x"), def("b", "d")), "", "")
	if pending := p.approve(); len(pending) != 0 {
		t.Errorf("%d things are not approved", len(pending))
	}
}

func TestChangesBetweenRuns(t *testing.T) {
	for _, tt := range []struct {
		name, now      string
		held, recorded string
	}{
		{"wording", def("a", "another text", "x"), "", "flagged a wording"},
		{"schema", def("a", longText, "x", "bcc"), "a", "held a schema"},
		{"a new tool", def("b", "something else entirely"), "", "flagged b new; removed a removed"},
		{"under another name", def("b", longText, "x"), "b", "held b renamed; removed a removed"},
		{"under another name with more", def("b", longText, "x", "bcc"), "b", "held b schema,renamed; removed a removed"},
		{"spelt otherwise, with other words and more", def("A\u200b", "something else entirely", "x", "bcc"), "A\u200b",
			"held A\u200b wording,schema,renamed; removed a removed"},
		{"nothing", "", "", "removed a removed"},
		{"blocked", "blocked " + def("a", "x"), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			begin(t, home).lists(def("a", longText, "x"))
			p := begin(t, home)
			var list []string
			if tt.now != "" {
				list = []string{tt.now}
			}
			p.want("changed", p.lists(list...), tt.held, tt.recorded)
			p.want("the same again", p.lists(list...), tt.held, "")
			p = begin(t, home)
			again := ""
			if tt.held != "" {
				again = strings.Split(tt.recorded, ";")[0] // each process says what it holds
			}
			p.want("in another process", p.lists(list...), tt.held, again)
			p = begin(t, home)
			p.want("as it was", p.lists(def("a", longText, "x")), "", strings.Join(removals(tt.now), "; "))
		})
	}
}

// removals returns what is recorded when a definition is gone that was offered.
func removals(of string) []string {
	if strings.Contains(of, `"b"`) && !strings.Contains(of, longText) {
		return []string{"removed b removed"}
	}
	return nil
}

// What changes while the relay runs is held whatever it is, and stays so.
func TestChangesWhileRunning(t *testing.T) {
	home := t.TempDir()
	p := begin(t, home)
	p.lists(def("a", longText, "x"))
	p.want("wording", p.lists(def("a", "another text", "x")), "a", "held a wording")
	p.want("a new one", p.lists(def("a", longText, "x"), def("n", "n")), "", "flagged n new")
	p.want("and it changes", p.lists(def("a", longText, "x"), def("n", "m")), "n", "held n wording,new")
	p = begin(t, home)
	p.want("another process", p.lists(def("a", longText, "x"), def("n", "m")), "n", "held n wording,new")
	p.lists(def("a", "another text", "x"))
	p = begin(t, home)
	p.want("held once", p.lists(def("a", "another text", "x")), "a", "held a wording")
	p.want("a third text", p.lists(def("a", "a third text", "x")), "", "flagged a wording")
}

// TestGoneAndBack: a definition that is away for one list cannot come back as
// another, nor can one that is held.
func TestGoneAndBack(t *testing.T) {
	p := begin(t, t.TempDir())
	p.lists(def("a", longText, "x"), def("n", "n"))
	p.want("gone", p.lists(def("n", "n")), "", "removed a removed")
	p.want("back with other words", p.lists(def("a", "another text", "x"), def("n", "n")), "a", "held a wording")
	p.want("gone again", p.lists(def("n", "n")), "", "removed a removed")
	p.want("and back", p.lists(def("a", "another text", "x"), def("n", "n")), "a", "held a wording")
	p.want("as it was", p.lists(def("a", longText, "x"), def("n", "n")), "", "")

	p = begin(t, t.TempDir())
	tell := func(text string) string {
		if p.memory.RecallInstructions(t.Context(), "s", text, "scan") {
			return "held"
		}
		return ""
	}
	tell("be nice")
	tell("")
	p.took()
	p.want("instructions after none", tell("be quick"), "held", "held  wording")
}

// TestLongNamesDoNotSpoilTheRecord: a server cannot have its record grow until it
// cannot be read, and all that it changed be new.
func TestLongNamesDoNotSpoilTheRecord(t *testing.T) {
	home := t.TempDir()
	p := begin(t, home)
	p.lists(def("a", longText, "x"))
	p.listsKind(registry.Resources)
	list := make([]string, 0, 3000)
	for n := range cap(list) {
		name := strings.Repeat(`\u0001`, maxName-10) + fmt.Sprint(n)
		list = append(list, `{"name":"n","uri":"`+name+`"}`)
	}
	p.listsKind(registry.Resources, list...)
	p = begin(t, home)
	if held := p.lists(def("a", longText, "x", "bcc")); held != "a" {
		t.Errorf("held is %q: %s", held, p.took())
	}
}

// TestWhatWasOfferedIsBounded: a server that has other names each time does not
// fill the memory.
func TestWhatWasOfferedIsBounded(t *testing.T) {
	s := &server{Server: Server{Name: "s"}, offered: map[itemKey]string{}, told: map[itemKey]string{}}
	for i := range maxOffered + 1 {
		s.offered[itemKey{"tool", fmt.Sprint(i)}] = "h"
	}
	rec := newRecord(s, time.Now())
	rec.ensure("tool", "1").Approved = &Form{Hash: "h"}
	l := &looking{server: s, record: rec, kind: "tool", now: time.Now(), held: map[int]string{}}
	l.miss(map[string]bool{"2": true})
	if len(s.offered) != 2 {
		t.Errorf("%d forms are known", len(s.offered))
	}
}

// Two principals see two catalogues: whoever comes second has to wait.
func TestTwoCatalogues(t *testing.T) {
	p := begin(t, t.TempDir())
	p.want("one", p.lists(def("a", "a")), "", "")
	p.want("other", p.lists(def("a", "b")), "a", "held a wording")
	p.want("one again", p.lists(def("a", "a")), "", "")
}

// Many small steps do not move what they are compared with.
func TestSlowDrift(t *testing.T) {
	home := t.TempDir()
	begin(t, home).lists(def("a", "zero", "x"))
	for _, text := range []string{"one", "two", "three"} {
		p := begin(t, home)
		p.want(text, p.lists(def("a", text, "x")), "", "flagged a wording")
	}
	pending, err := openStore(t, home).Pending("s")
	if err != nil || len(pending) != 1 {
		t.Fatalf("%v, %v", pending, err)
	}
	if q := pending[0]; !strings.Contains(q.Old.Text, "zero") || !strings.Contains(q.New.Text, "three") || q.Held || q.New.Classes != Wording {
		t.Errorf("%+v", q)
	}
	// A property more is more than what was approved, not than what was flagged.
	p := begin(t, home)
	p.want("more", p.lists(def("a", "three", "x", "y")), "a", "held a wording,schema")
}

func TestPolicies(t *testing.T) {
	home := t.TempDir()
	begin(t, home).lists(def("a", "a"))
	p := begin(t, home, func(o *Options) { o.Policy = Policy{} })
	p.want("everything is allowed", p.lists(def("a", "b", "x")), "", "")
	p.want("also while it runs", p.lists(def("a", "c", "x")), "", "")
	p = begin(t, home, func(o *Options) { o.Policy = Policy{Wording: Flag, Schema: Flag} })
	p.want("everything is flagged", p.lists(def("a", "d", "x", "y")), "", "flagged a wording,schema")
	p.want("also while it runs", p.lists(def("a", "e", "x", "y")), "", "flagged a wording,schema")
	hold := Policy{Wording: Hold, New: Hold}
	p = begin(t, home, func(o *Options) { o.Policy = hold })
	p.want("what was flagged is held", p.lists(def("a", "e", "x", "y"), def("b", "b")), "a b", "held a wording,schema; held b new")
	changed := p.memory.Changed("s")
	p.memory.SetPolicy(graded)
	<-changed
	p.want("another policy", p.lists(def("a", "e", "x", "y"), def("b", "b")), "a", "flagged b new")
	hidden := begin(t, home, func(o *Options) { o.Policy, o.Servers[0].Hidden = hold, true })
	hidden.want("not scanned", hidden.lists(def("a", "f", "x", "y"), def("c", "c")), "", "flagged a wording,schema; flagged c new; removed b removed")
}

func TestInstructions(t *testing.T) {
	home := t.TempDir()
	p := begin(t, home)
	tell := func(text string) string {
		if p.memory.RecallInstructions(t.Context(), "s", text, "scan") {
			return "held"
		}
		return ""
	}
	p.want("first", tell("be nice"), "", "")
	p.want("while it runs", tell("be quick"), "held", "held  wording")
	p = begin(t, home)
	p.want("held stays held", tell("be quick"), "held", "held  wording")
	p.want("none", tell(""), "", "removed  removed")
	p = begin(t, home)
	p.want("between runs", tell("be kind"), "", "flagged  wording")
	p = begin(t, home)
	p.want("an address", tell("be nice to https://evil.com"), "held", "held  wording,url")

	other := begin(t, t.TempDir())
	other.memory.RecallInstructions(t.Context(), "s", "", "")
	if other.memory.RecallInstructions(t.Context(), "s", "hello", "") || other.took() != "flagged  new" {
		t.Error("instructions of a server that had none are new")
	}
}

// Every kind has its memory, and a kind that was empty at first is known too.
func TestKinds(t *testing.T) {
	home := t.TempDir()
	p := begin(t, home)
	for _, k := range registry.Kinds {
		p.want("none", p.listsKind(k), "", "")
	}
	p = begin(t, home)
	for _, k := range registry.Kinds {
		d := `{"name":"x:y/z","uri":"x:y/z","uriTemplate":"x:y/z"}`
		p.want("one", p.listsKind(k, d), "", "flagged x:y/z new")
		p.want("another", p.listsKind(k, strings.Replace(d, "{", `{"_meta":{},`, 1)), "x:y/z", "held x:y/z annotation,new")
	}
	// Resources come and go; what they are called is what they are.
	p = begin(t, home)
	p.want("another resource", p.listsKind(registry.Resources, `{"name":"x:y/z","uri":"x:y/q"}`), "", "flagged x:y/q new; removed x:y/z removed")
}

func TestAnotherServerOfTheName(t *testing.T) {
	home := t.TempDir()
	old := begin(t, home)
	old.lists(def("a", "a"))
	p := begin(t, home, func(o *Options) { o.Servers[0].Identity = "2" })
	p.want("another program", p.lists(def("a", "b", "x")), "", "flagged  replaced")
	p.want("is one like others", p.lists(def("a", "b", "x", "y")), "a", "held a schema")
	// The process that runs with the old configuration cannot have its way by
	// changing things: nothing is a first sight to it.
	old.want("the old one", old.lists(def("a", "b")), "a", "held a wording")
	old.want("as it was", old.lists(def("a", "a")), "", "")
	p = begin(t, home, func(o *Options) { o.Servers[0].Identity = "2" })
	p.want("its record is as it was", p.lists(def("a", "b", "x")), "", "")
}

// TestApproveWithoutRestart, from another process.
func TestApproveWithoutRestart(t *testing.T) {
	home := t.TempDir()
	begin(t, home).lists(def("a", "a"))
	synctest.Test(t, func(t *testing.T) {
		p := begin(t, home)
		p.want("held", p.lists(def("a", "a", "x")), "a", "held a schema")
		changed := p.memory.Changed("s")
		time.Sleep(3 * lookEvery)
		synctest.Wait()
		select {
		case <-changed:
			t.Fatal("nobody approved anything")
		default:
		}
		p.approve()
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		select {
		case <-changed:
		default:
			t.Fatal("the approval was not seen")
		}
		p.want("approved", p.lists(def("a", "a", "x")), "", "")
		p.memory.Close()
	})
	p := begin(t, home)
	p.want("for good", p.lists(def("a", "a", "x")), "", "")
	p.want("the old one is not", p.lists(def("a", "a")), "a", "held a schema")
}

// What is approved is what was shown, or nothing.
func TestApproveWhatWasShown(t *testing.T) {
	home := t.TempDir()
	p := begin(t, home)
	p.lists(def("a", "a"), def("b", "b"))
	p.lists(def("a", "a", "x"), def("b", "b", "x"))
	store := openStore(t, home)
	shown, err := store.Pending("s")
	if err != nil || len(shown) != 2 || !shown[0].Held {
		t.Fatalf("%+v, %v", shown, err)
	}
	p.lists(def("a", "a", "x"), def("b", "b", "y"))
	if err := store.Approve(t.Context(), shown); !errors.Is(err, ErrChanged) {
		t.Errorf("something else was approved: %v", err)
	}
	p.want("nothing was approved", p.lists(def("a", "a", "x"), def("b", "b", "y")), "a b", "held a schema; held b schema; held b schema")
	if err := store.Approve(t.Context(), shown[:1]); err != nil {
		t.Error(err)
	}
	p.want("one", p.lists(def("a", "a", "x"), def("b", "b", "y")), "b", "")
	if err := store.Approve(t.Context(), shown[:1]); !errors.Is(err, ErrChanged) {
		t.Errorf("approved twice: %v", err)
	}
	p.lists(def("a", "a", "x"))
	if err := store.Approve(t.Context(), shown[1:]); !errors.Is(err, ErrChanged) {
		t.Errorf("approved though it is gone: %v", err)
	}
}

// A record that cannot be read is no first sight.
func TestBrokenRecords(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "null": "null", "list": "[]", "cut": `{"version":1,"server":"s"`, "no version": "{}",
		"of another server": `{"version":1,"server":"other","config":"` + config + `","identity":"1","since":"2026-01-01T00:00:00Z","approvals":0,"listed":[],"items":[]}`,
		"of another file":   `{"version":1,"server":"s","config":"/x","identity":"1","since":"2026-01-01T00:00:00Z","approvals":0,"listed":[],"items":[]}`,
		"with more":         `{"version":1,"server":"s","config":"` + config + `","identity":"1","since":"2026-01-01T00:00:00Z","approvals":0,"listed":[],"items":[],"x":1}`,
		"with another text": `{"version":1,"server":"s","config":"` + config + `","identity":"1","since":"2026-01-01T00:00:00Z","approvals":0,"listed":["tool"],"items":[{"kind":"tool","name":"a","approved":{"hash":"00","text":"{}","since":"2026-01-01T00:00:00Z"}}]}`,
		"newer":             `{"version":2,"anything":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			begin(t, home).lists(def("a", "a"))
			path := filepath.Join(home, directory, openStore(t, home).file("s"))
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			p := begin(t, home, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			p.want("flagged", p.lists(def("a", "a")), "", "flagged a new")
			if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), path) {
				t.Errorf("the log says %s", log.String())
			}
			p = begin(t, home, func(o *Options) { o.Policy.New = Hold })
			p.want("held", p.lists(def("a", "a")), "a", "held a new")
			now, err := os.ReadFile(path)
			if err != nil || (string(now) == text) != (name == "newer") {
				t.Errorf("the file holds %s, %v", now, err)
			}
		})
	}
}

// Who removes the record of a relay that runs does not make it trust anew.
func TestRemovedRecord(t *testing.T) {
	for _, rested := range []bool{false, true} {
		home := t.TempDir()
		p := begin(t, home)
		p.lists(def("a", "a"), def("b", "b"))
		if err := os.RemoveAll(filepath.Join(home, directory)); err != nil {
			t.Fatal(err)
		}
		if rested {
			p.memory.servers["s"].release()
		}
		_ = openStore(t, home)
		p.memory.store = openStore(t, home)
		held := p.lists(def("a", "a"), def("b", "c"), def("n", "n"))
		if held != "b" {
			t.Errorf("held is %q", held)
		}
		if got := p.took(); !strings.Contains(got, "held b") || !strings.Contains(got, "flagged n new") || strings.Contains(got, " a ") {
			t.Errorf("recorded %q", got)
		}
	}
}

func TestWithoutStore(t *testing.T) {
	p := begin(t, t.TempDir(), func(o *Options) { o.Store = nil })
	p.want("nobody knows", p.lists(def("a", "a")), "", "flagged a new")
	p.want("changed", p.lists(def("a", "b")), "a", "held a wording,new")
	p.want("another server's", p.lists(def("a", "a")), "", "")
	p.memory.Recall(t.Context(), "unknown", registry.Tools, nil, nil)
	if p.memory.Changed("unknown") != nil {
		t.Error("an unknown server has news")
	}
}

// A definition is the same in whatever order and with whatever spaces.
func TestOrderIsNoDrift(t *testing.T) {
	home := t.TempDir()
	var value map[string]any
	text := tool("see https://a.example", shut, `,"annotations":{"readOnlyHint":true,"title":"T"},"_meta":{"a":[1,2,{"b":null,"c":1.50}]}`)
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	p := begin(t, home)
	p.lists(text)
	for range 200 {
		p.want("shuffled", p.lists(shuffled(json.RawMessage(text))), "", "")
	}
}

// shuffled returns a value with its members in another order and with spaces.
func shuffled(raw json.RawMessage) string {
	var object map[string]json.RawMessage
	var array []json.RawMessage
	space := strings.Repeat(" \n\t", rand.IntN(2))
	switch {
	case json.Unmarshal(raw, &object) == nil && object != nil:
		var members []string
		for name, value := range object { // in random order
			members = append(members, fmt.Sprintf("%s%q%s:%s", space, name, space, shuffled(value)))
		}
		return "{" + strings.Join(members, ",") + space + "}"
	case json.Unmarshal(raw, &array) == nil && array != nil:
		var elements []string
		for _, element := range array {
			elements = append(elements, shuffled(element))
		}
		return "[" + strings.Join(elements, ","+space) + "]"
	default:
		return string(raw) + space
	}
}

// Two processes that see a server first at the same time agree on what it was.
func TestTwoProcesses(t *testing.T) {
	home := t.TempDir()
	var both sync.WaitGroup
	held := make([]string, 8)
	for i := range held {
		p := begin(t, home)
		both.Go(func() { held[i] = p.lists(def("a", longText, fmt.Sprintf("p%d", i))) })
	}
	both.Wait()
	free := 0
	for _, h := range held {
		if h == "" {
			free++
		}
	}
	if free != 1 {
		t.Errorf("%d processes trusted what they saw", free)
	}
}

func TestManyDefinitions(t *testing.T) {
	rec := newRecord(&server{Server: Server{Name: "s"}}, time.Now())
	kind := kindOf(registry.Resources)
	for i := range maxItems + 10 {
		e := rec.ensure(kind, fmt.Sprint(i))
		if (e == nil) != (i >= maxItems) {
			t.Fatalf("%d: %v", i, e)
		}
		if e != nil {
			rec.set(&e.Approved, &Form{Hash: "x"})
		}
	}
	for i := range maxItems / 2 {
		rec.Items[i].Removed = time.Unix(int64(i), 0)
	}
	clear(rec.full)
	if rec.ensure(kind, "new") == nil || rec.item(kind, "0") != nil || rec.item(kind, fmt.Sprint(maxItems/2)) == nil {
		t.Error("what was gone longest should have made room")
	}
	if e := rec.ensure("tool", "t"); e == nil {
		t.Error("one kind takes another's room")
	} else if rec.set(&e.Approved, &Form{Hash: "x", Text: strings.Repeat("x", maxText+1)}); e.Approved.Text != "" || rec.texts != 0 {
		t.Error("a text is too long to keep")
	}
	for i := range maxTexts/maxText + 5 {
		rec.set(&rec.Items[i].Approved, &Form{Hash: "x", Text: strings.Repeat("x", maxText)})
	}
	if rec.texts > maxTexts || rec.texts < maxTexts-maxText {
		t.Errorf("%d bytes of text", rec.texts)
	}
}
