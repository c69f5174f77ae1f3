package conformance

import (
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// way is how a client reaches a server: the transports before and behind the
// relay and the eras of both ends.
type way struct {
	front, down    string // stdio or http
	client, server string // era
}

func (w way) String() string {
	return strings.Join([]string{w.client + " client", w.front, "relay", w.down, w.server + " server"}, ", ")
}

// event is a frame that arrived at one of the ends.
type event struct {
	envelope
	raw      []byte
	atClient bool
	say      func(frame []byte) // to answer where it came from
}

// rig is a relay between a raw client and a server that the test plays.
type rig struct {
	t      *testing.T
	way    way
	wire   wire
	server *fakeServer
	relay  *relayProcess
	seen   string // file of the recorder
	stop   func() // ends the client and then the relay, once

	last      int
	listening string // id of the client's subscriptions/listen
	hurried   bool
	brief     time.Duration // when set, how long anything is waited for
	events    chan event
	mu        sync.Mutex
	got       []event // everything that arrived
	listen    []event // the relay's subscriptions/listen

	listed map[string]string // what the server's lists hold, by method
	hello  string            // the server's handshake; empty: the usual one
}

const abilitiesOfServer = `{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},` +
	`"logging":{},"completions":{},"tasks":{"list":{},"cancel":{},"requests":{"tools":{"call":{}}}},` +
	`"experimental":{"acme":{}},"extensions":{"acme/x":{},"io.modelcontextprotocol/tasks":{}}}`

// The targets that the server offers.
const (
	aTool     = "tool"
	aPrompt   = "prompt"
	aResource = "file:///r/known"
	aTask     = "task one"
)

func plainLists() map[string]string {
	return map[string]string{
		"tools/list":               `{"tools":[{"name":"` + aTool + `","inputSchema":{"type":"object"}}]}`,
		"prompts/list":             `{"prompts":[{"name":"` + aPrompt + `"}]}`,
		"resources/list":           `{"resources":[{"uri":"` + aResource + `","name":"known"}]}`,
		"resources/templates/list": `{"resourceTemplates":[{"uriTemplate":"file:///t/{x}","name":"some"}]}`,
	}
}

// rigOptions are what a rig is made of; the zero value is the usual.
type rigOptions struct {
	lists map[string]string
	relay map[string]any // more of the section relay
}

// newRig starts the relay with a recorder as its scanner, connects the client and
// has the lists fetched.
func newRig(t *testing.T, w way, o rigOptions) *rig {
	t.Helper()
	r := &rig{t: t, way: w, events: make(chan event, 4096), listed: o.lists}
	if r.listed == nil {
		r.listed = plainLists()
	}
	r.server = newFakeServer(t, w.down, w.server, r.think)
	r.seen = filepath.Join(t.TempDir(), "seen")
	section := object("naming", "bare",
		"scanners", []any{object("name", "recorder", "plugin", program(recorderRole), "config", object("file", r.seen))})
	maps.Copy(section, o.relay)
	r.connect(section)
	r.greet()
	if w.client == legacy && w.server == legacy {
		r.begin()
	}
	return r
}

// newRigBare is newRig with lists that hold no usual targets.
func newRigBare(t *testing.T, w way, lists map[string]string) *rig {
	t.Helper()
	r := &rig{t: t, way: w, events: make(chan event, 4096), listed: lists}
	r.server = newFakeServer(t, w.down, w.server, r.think)
	r.connect(object("naming", "bare", "scanners", []any{object("name", "noop", "plugin", "noop")}))
	r.greet()
	return r
}

// begin makes a task and a subscription, to which more messages belong.
func (r *rig) begin() {
	r.t.Helper()
	id := r.ask("tools/call", `{"name":"`+aTool+`","task":{"ttl":60000}}`)
	for _, step := range []struct{ method, result string }{
		{"tools/call", `{"task":{"taskId":"` + aTask + `","status":"working","createdAt":"2026-01-01T00:00:00Z",` +
			`"lastUpdatedAt":"2026-01-01T00:00:00Z","ttl":60000}}`},
		{"resources/subscribe", `{}`},
	} {
		e := r.arrival(id, step.method)
		if e == nil {
			r.t.Fatalf("%s did not arrive\n%s", step.method, r.relay.stderr)
		}
		e.say(response(e.ID, "result", step.result))
		if e = r.answerTo(id); e == nil || len(e.Result) == 0 {
			r.t.Fatalf("%s failed: %s\n%s", step.method, e.raw, r.relay.stderr)
		}
		if step.method == "tools/call" {
			id = r.ask("resources/subscribe", `{"uri":"`+aResource+`"}`)
		}
	}
}

// connect starts the relay and puts the client on it.
func (r *rig) connect(section map[string]any) {
	r.t.Helper()
	r.connectTo(object("s", r.server.entry), section)
}

// connectTo is connect with several servers.
func (r *rig) connectTo(servers, section map[string]any) {
	r.t.Helper()
	config := object("mcpServers", servers, "relay", section)
	if r.way.front == overHTTP {
		address := freeAddress(r.t)
		section["http"] = object("listen", address, "auth", "none")
		r.relay = startRelay(r.t, config)
		awaitAddress(r.t, address)
		r.wire = newHTTPWire("http://" + address + "/mcp")
		r.stop = sync.OnceFunc(r.wire.close)
	} else {
		r.relay = relayCommand(r.t, config)
		in, err := r.relay.cmd.StdinPipe()
		if err != nil {
			r.t.Fatal(err)
		}
		out, err := r.relay.cmd.StdoutPipe()
		if err != nil {
			r.t.Fatal(err)
		}
		if err := r.relay.cmd.Start(); err != nil {
			r.t.Fatal(err)
		}
		r.wire = newLineWire(out, in)
		r.stop = sync.OnceFunc(func() {
			r.wire.close()
			timer := time.AfterFunc(15*time.Second, func() { _ = r.relay.cmd.Process.Kill() })
			defer timer.Stop()
			if err := r.relay.cmd.Wait(); err != nil {
				r.t.Errorf("the relay: %v", err)
			}
		})
	}
	r.t.Cleanup(func() {
		r.stop()
		if r.t.Failed() {
			r.t.Logf("the relay said:\n%s", tail(r.relay.stderr.String(), 4000))
		}
	})
	go func() {
		for frame := range r.wire.frames() {
			r.arrive(event{envelope: open(frame), raw: frame, atClient: true, say: func(out []byte) { _ = r.wire.send(out) }})
		}
	}()
}

func (r *rig) arrive(e event) {
	r.mu.Lock()
	r.got = append(r.got, e)
	r.mu.Unlock()
	r.events <- e
}

// everything returns what has arrived at one end.
func (r *rig) everything(atClient bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.got {
		if e.atClient == atClient {
			out = append(out, string(e.raw))
		}
	}
	return out
}

// think is the server's brain: it keeps house and hands everything to the test.
func (r *rig) think(frame []byte, say func([]byte)) {
	e := open(frame)
	r.mu.Lock()
	listed, isList := r.listed[e.Method]
	hello := r.hello
	r.mu.Unlock()
	r.arrive(event{envelope: e, raw: frame, say: say})
	answer := func(result string) { say(response(e.ID, "result", result)) }
	complete := ""
	if r.way.server == modern && !strings.Contains(listed, `"x":0`) {
		complete = `"resultType":"complete","ttlMs":0,"cacheScope":"private",`
	}
	switch {
	case !e.isRequest():
	case isList:
		answer("{" + complete + listed[1:])
	case e.Method == "initialize" && r.way.server == legacy:
		if hello == "" {
			hello = `{"protocolVersion":"` + lastLegacy + `","capabilities":` + abilitiesOfServer + `,"serverInfo":{"name":"fake","version":"1"}}`
		}
		answer(hello)
	case e.Method == "server/discover" && r.way.server == modern:
		if hello == "" {
			hello = `{"resultType":"complete","supportedVersions":["` + firstModern + `"],"capabilities":` + abilitiesOfServer +
				`,"ttlMs":0,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"fake","version":"1"}}}`
		}
		answer(hello)
	case e.Method == "initialize", e.Method == "server/discover":
		say(response(e.ID, "error", `{"code":-32601,"message":"Method not found"}`))
	case e.Method == "ping", e.Method == "logging/setLevel":
		answer("{}")
	case e.Method == "subscriptions/listen":
		say([]byte(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":` +
			string(e.ID) + `},"notifications":` + string(member(e.Params, "notifications")) + `}}`))
		r.mu.Lock()
		r.listen = append(r.listen, event{envelope: e, say: say})
		r.mu.Unlock()
	}
}

// member returns a member of an object as it is written; nothing: null.
func member(object []byte, name string) json.RawMessage {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(object, &all)
	if all[name] == nil {
		return json.RawMessage("null")
	}
	return all[name]
}

func response(id json.RawMessage, kind, value string) []byte {
	return []byte(`{"jsonrpc":"2.0","id":` + string(id) + `,"` + kind + `":` + value + `}`)
}

// greet is the client's part of the beginning: the handshake, and every list.
func (r *rig) greet() {
	r.t.Helper()
	if r.way.client == legacy {
		params := `{"protocolVersion":"` + lastLegacy + `","capabilities":` + abilities + `,"clientInfo":` + itself + `}`
		if e := r.exchange("initialize", params); e == nil || len(e.Result) == 0 {
			r.t.Fatalf("the handshake failed: %+v\n%s", e, r.relay.stderr)
		}
		_ = r.wire.send([]byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
	} else if e := r.exchange("server/discover", "{"+metaMember+"}"); e == nil || len(e.Result) == 0 {
		r.t.Fatalf("discovery failed: %+v\n%s", e, r.relay.stderr)
	}
	for method := range plainLists() {
		if e := r.exchange(method, r.params("{}")); e == nil || len(e.Result) == 0 {
			r.t.Fatalf("%s failed: %+v\n%s", method, e, r.relay.stderr)
		}
	}
}

// params makes the usual params those of the client's era.
func (r *rig) params(text string) string {
	if r.way.client == modern {
		return withMeta(text)
	}
	return text
}

// exchange sends a request and waits for its response; nil: none came.
func (r *rig) exchange(method, params string) *event {
	r.t.Helper()
	id := r.ask(method, params)
	return r.await(func(e *event) bool { return e.atClient && e.isResponse() && string(e.ID) == id })
}

// ask sends a request of the client and returns its id, as it is compared.
func (r *rig) ask(method, params string) string {
	r.last++
	id, written := strconv.Itoa(r.last), strconv.Itoa(r.last)
	if r.last%2 == 1 {
		id, written = `"call #`+id+`"`, `"call \u0023`+id+`"`
	}
	r.clientSays(`{"jsonrpc":"2.0","id":` + written + `,"method":"` + method + `","params":` + params + `}`)
	return id
}

func (r *rig) clientSays(frame string) {
	if err := r.wire.send([]byte(frame)); err != nil {
		r.t.Errorf("sending %.200s: %v", frame, err)
	}
}

// patience is how long a frame may take on a busy machine.
const patience = 10 * time.Second

// straggling is how long something may take that comes on another stream.
const straggling = 2 * time.Second

// await returns the next event that is wanted; nil: it does not come.
func (r *rig) await(wanted func(e *event) bool) *event {
	if r.hurried || r.brief > 0 {
		return r.awaitFor(cmp.Or(r.brief, straggling), wanted)
	}
	e := r.awaitFor(patience, wanted)
	r.hurried = e == nil // what does not come once will not come the next time
	return e
}

// straggler waits for what may come on another stream than what it belongs to.
func (r *rig) straggler(wanted func(e *event) bool) *event {
	if r.brief > 0 {
		return nil // it is counted when it comes
	}
	return r.awaitFor(straggling, wanted)
}

func (r *rig) awaitFor(d time.Duration, wanted func(e *event) bool) *event {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case e := <-r.events:
			if wanted(&e) {
				return &e
			}
		case <-timer.C:
			return nil
		}
	}
}

// saw returns what the scanner was shown so far.
func (r *rig) saw() string {
	r.t.Helper()
	if _, err := os.Stat(r.seen); err != nil {
		return ""
	}
	return strings.Join(record(r.t, r.seen), "\n")
}

// ways are all combinations of transports for two eras.
func ways(client, server string) []way {
	var all []way
	for _, front := range []string{overPipe, overHTTP} {
		for _, down := range []string{overPipe, overHTTP} {
			all = append(all, way{front, down, client, server})
		}
	}
	return all
}

func TestRig(t *testing.T) {
	for _, w := range append(ways(legacy, legacy), ways(modern, modern)...) {
		t.Run(w.String(), func(t *testing.T) {
			r := newRig(t, w, rigOptions{})
			id := r.ask("tools/call", r.params(`{"name":"`+aTool+`"}`))
			e := r.await(func(e *event) bool { return !e.atClient && e.Method == "tools/call" })
			if e == nil {
				t.Fatal("the call did not arrive")
			}
			e.say(response(e.ID, "result", `{"content":[]}`))
			if e = r.await(func(e *event) bool { return e.atClient && string(e.ID) == id }); e == nil || !strings.HasPrefix(string(e.Result), `{"content":[]`) {
				t.Fatalf("got %+v", e)
			}
			r.stop()
			if !strings.Contains(r.saw(), `{"content":[]`) {
				t.Error("the scanner was not shown the result")
			}
		})
	}
}
