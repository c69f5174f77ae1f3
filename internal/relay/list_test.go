package relay

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/registry"
)

func TestInitializeDoesNotWaitLongForServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := start(t, nil, &fakeServer{slow: release})
		r.send(`{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-06-18","clientInfo":{"name":"c"}}}`)
		r.want(`{"jsonrpc":"2.0","id":"p","method":"ping"}`, `{"jsonrpc":"2.0","id":"p","result":{}}`)
		time.Sleep(greetWait)
		synctest.Wait()
		want := `{"jsonrpc":"2.0","id":"a","result":{"capabilities":{"tools":{"listChanged":true},` +
			`"prompts":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true},"logging":{},"completions":{}},` +
			`"serverInfo":{"name":"mcp-relay","version":"1"},"protocolVersion":"2025-06-18"}}`
		if got := r.sink.take(); len(got) != 1 || got[0] != want {
			t.Errorf("got %s", got)
		}
		r.send(`{"jsonrpc":"2.0","id":"b","method":"initialize","params":{"protocolVersion":"2099-01-01"}}`)
		time.Sleep(greetWait)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], `"protocolVersion":"2025-11-25"`) {
			t.Errorf("got %s", got)
		}
		close(release)
	})
}

func TestDefinitionsAreHeldUntilJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		r := startJudged(t, &judge{outage: true}, nil, s)
		if got := r.ask(toolsList); len(got) != 1 || !strings.Contains(got[0], `{"tools":[]}`) {
			t.Fatalf("listed %s", got)
		}
		r.wantPart(call, `"type":"ToolNotFound"`)
		if e := r.relay.Registry().Entries(registry.Tools); len(e) != 1 || e[0].State != registry.Held {
			t.Errorf("entries %+v", e)
		}
		r.judge.mu.Lock()
		r.judge.outage = false
		r.judge.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], "notifications/tools/list_changed") {
			t.Errorf("announced %s", got)
		}
		r.wantPart(toolsList, `s0__x`)
	})
}

func TestOneSlowServerHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow, broken := &fakeServer{tools: []string{"late"}, slow: release}, &fakeServer{dialErr: errors.New("no such file")}
		r := start(t, nil, &fakeServer{tools: []string{"x"}}, slow, broken)
		begin := time.Now()
		r.send(toolsList)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 0 {
			t.Fatalf("answered early: %s", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		got := r.sink.take()
		if len(got) != 1 || !strings.Contains(got[0], `{"tools":[{"name":"s0__x","v":0}]}`) {
			t.Fatalf("after %v: %s", time.Since(begin), got)
		}
		close(release)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 || !strings.Contains(got[0], "list_changed") {
			t.Fatalf("announced %s", got)
		}
		r.wantPart(toolsList, `"s1__late"`)
	})
}

func TestEndlessLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{answers: map[string]string{"tools/list": `{"tools":[{"name":"x"}],"nextCursor":"again"}`}}
		other := &fakeServer{tools: []string{"y"}}
		r := start(t, nil, s, other)
		r.wantPart(toolsList, `{"tools":[{"name":"s1__y","v":0}]}`)
	})
}

func TestCatalogueOfManyParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		filler := strings.Repeat("x", 1<<20)
		var tools []string
		for i := range 10 {
			tools = append(tools, fmt.Sprintf(`{"name":"t%d","description":%q}`, i, filler))
		}
		tools = append(tools, `{"name":"bad","description":"evil"}`)
		s := &fakeServer{answers: map[string]string{"tools/list": `{"tools":[` + strings.Join(tools, ",") + `]}`}}
		r := start(t, nil, s)
		var all string
		for cursor := ""; ; {
			got := r.ask(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":` + fmt.Sprintf("%q", cursor) + `}}`)
			if len(got) != 1 {
				t.Fatalf("got %d frames", len(got))
			}
			all += got[0]
			_, rest, more := strings.Cut(got[0], `"nextCursor":"`)
			if !more {
				break
			}
			cursor, _, _ = strings.Cut(rest, `"`)
		}
		if strings.Count(all, `"name":"s0__t`) != 10 || strings.Contains(all, "s0__bad") {
			t.Errorf("listed %d bytes", len(all))
		}
		if scans := len(r.judge.saw()); scans != 5 { // four of the list, one of what the server says of itself
			t.Errorf("%d scans", scans)
		}
	})
}

// TestListsWaitForTheStartOnly: a server that is downloaded for minutes holds up
// lists until the start timeout, and not each of them anew.
func TestListsWaitForTheStartOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		r := start(t, nil, &fakeServer{tools: []string{"x"}}, &fakeServer{slow: release})
		time.Sleep(6 * time.Second)
		r.send(toolsList)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if got := r.sink.take(); len(got) != 1 {
			t.Fatalf("10 s after the start: %s", got)
		}
		r.wantPart(toolsList, `"s0__x"`)
	})
}

func TestCursors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil, &fakeServer{tools: []string{"x"}})
		for cursor, known := range map[string]bool{`null`: true, `""`: true, `"x"`: false, `7`: false} {
			part := `"s0__x"`
			if !known {
				part = `"code":-32602`
			}
			r.wantPart(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":`+cursor+`}}`, part)
		}
	})
}

func TestListOfNothings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{answers: map[string]string{"tools/list": `{"tools":[` + strings.Repeat("0,", 200_000) + `0]}`}}
		r := start(t, nil, s)
		r.wantPart(toolsList, `{"tools":[]}`)
		if n := len(r.relay.Registry().Entries(registry.Tools)); n != 0 {
			t.Errorf("%d items are kept", n)
		}
		if n := len(r.audit.all); n > 10 {
			t.Errorf("%d audit records", n)
		}
	})
}

// TestOneBadListIsNotTheServersEnd: its other kinds are offered.
func TestOneBadListIsNotTheServersEnd(t *testing.T) {
	for _, err := range []error{peer.ErrBadAnswer, peer.ErrTooLong} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x"}, answers: map[string]string{
				"initialize": `{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"prompts":{}},"serverInfo":{"name":"f","version":"1"}}`,
			}}
			s.onCall = func(_ *fakeConn, c *fakeCall) { go c.reply(peer.Reply{Err: err}) } // also for prompts/list
			r := start(t, nil, s)
			r.wantPart(toolsList, `"s0__x"`)
			r.wantPart(`{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`, `{"prompts":[]}`)
			time.Sleep(time.Minute)
			if n := len(s.conns); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}
