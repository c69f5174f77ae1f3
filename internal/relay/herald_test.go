package relay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
)

func logFrame(level, data string) string {
	return `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"` + level + `","data":"` + data + `"}}`
}

// TestNotificationsAreJudgedTogether while a scanner works: in order, one
// blocked takes no other with it, and the answer waits for its own.
func TestNotificationsAreJudgedTogether(t *testing.T) {
	for _, blocked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x"}}
			held := s.holding()
			r := start(t, nil, s)
			r.greets(`{}`)
			r.ask(toolsList)
			r.ask(call)
			r.judge.dawdle(time.Second)
			held().says(t, logFrame("info", "SLOW"))
			before := len(r.judge.saw())
			for i := range 40 {
				text := fmt.Sprint("n", i)
				if blocked && i == 17 {
					text = "EVIL"
				}
				held().says(t, logFrame("info", text))
			}
			held().result(`{"content":[]}`)
			if got := r.got(); len(got) != 0 {
				t.Fatalf("it came before what was said first: %s", got)
			}
			time.Sleep(2 * time.Second)
			got := r.got()
			want := []string{"SLOW"}
			for i := range 40 {
				if !blocked || i != 17 {
					want = append(want, fmt.Sprint("n", i))
				}
			}
			if len(got) != len(want)+1 || !strings.Contains(got[len(got)-1], `"id":2,"result"`) {
				t.Fatalf("blocked %v: got %s", blocked, got)
			}
			for i, text := range want {
				if got[i] != logFrame("info", text) {
					t.Errorf("blocked %v: %d: got %s", blocked, i, got[i])
				}
			}
			scans := len(r.judge.saw()) - before
			if !blocked && scans > 3 || blocked && scans > 45 {
				t.Errorf("blocked %v: judged %d times", blocked, scans)
			}
		})
	}
}

// TestWhatOnlyLooksLikeANotification is judged as what it may be taken for, also
// when it waits among notifications.
func TestWhatOnlyLooksLikeANotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(`{}`)
		r.ask(toolsList)
		r.ask(call)
		r.judge.dawdle(time.Second)
		held().says(t, logFrame("info", "SLOW"))
		held().says(t, `{"jsonrpc":"2.0","method":"sampling/createMessage","params":{"a":1}}`)
		held().says(t, logFrame("info", "one"))
		held().says(t, `{"jsonrpc":"2.0","method":"sampling/createMessage","params":{"a":2}}`)
		held().says(t, logFrame("info", "two"))
		held().says(t, logFrame("info", "three"))
		time.Sleep(2 * time.Second)
		if got := r.got(); len(got) != 6 || !strings.Contains(got[3], `{"a":2}`) {
			t.Errorf("got %s", got)
		}
		for _, want := range []string{`server_request x {"a":1}`, `server_request x {"a":2}`} {
			if saw := r.judge.saw(); !slices.Contains(saw, want) {
				t.Errorf("the scanner did not see %s, but %s", want, saw)
			}
		}
	})
}

// TestARedactedNotification keeps its place and its method.
func TestARedactedNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(`{}`)
		r.ask(toolsList)
		r.ask(call)
		r.judge.dawdle(time.Second)
		r.judge.redacts("SECRET")
		held().says(t, logFrame("info", "SLOW"))
		for _, text := range []string{"one", "SECRET", "three"} {
			held().says(t, logFrame("info", text))
		}
		time.Sleep(2 * time.Second)
		got := r.got()
		if len(got) != 4 || !strings.Contains(got[2], `"data":"[redacted:secret.key#1]"`) || got[3] != logFrame("info", "three") {
			t.Errorf("got %s", got)
		}
	})
}

// TestLogsGoToWhomTheyBelong: to the client whose call it is, at the level that
// it wants; a modern one has to ask.
func TestLogsGoToWhomTheyBelong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		a := start(t, nil, s)
		b := a.join(peer.Hello{Session: "b", Principal: "other"})
		a.greets(`{}`)
		b.greets(`{}`)
		a.ask(toolsList)
		b.ask(`{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"error"}}`)
		say := func(c *fakeCall, wantA, wantB int) {
			t.Helper()
			for _, level := range []string{"debug", "warning", "error", "odd"} {
				if c != nil {
					c.says(t, logFrame(level, "x"))
				} else {
					s.conn(0).says(t, logFrame(level, "x"))
				}
			}
			if gotA, gotB := a.got(), b.got(); len(gotA) != wantA || len(gotB) != wantB {
				t.Errorf("got %s and %s", gotA, gotB)
			}
		}
		say(nil, 0, 0) // two principals, and nobody calls
		a.ask(call)
		first := held()
		say(nil, 4, 0)
		b.ask(call)
		say(nil, 0, 0)
		say(first, 4, 0)
		say(held(), 0, 2)
		first.result(`{}`)
		held().result(`{}`)
		for level, want := range map[string]int{"": 0, `,"io.modelcontextprotocol/logLevel":"warning"`: 3, `,"io.modelcontextprotocol/logLevel":"debug"`: 4} {
			v := a.visit("local")
			v.ask(strings.Replace(modernCall(5, ""), everything, everything+level, 1))
			a.got()
			for _, level := range []string{"debug", "warning", "error", "odd"} {
				s.conn(0).says(t, logFrame(level, "x"))
			}
			if got := v.got(); len(got) != want {
				t.Errorf("%s: got %s", level, got)
			}
			held().result(`{}`)
			synctest.Wait()
		}
	})
}

// TestLogLevelsOfModernServers: a legacy client's level goes along with each of
// its requests; a modern one's own does, and no other.
func TestLogLevelsOfModernServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{modern: true, tools: []string{"x"}}
		r := start(t, nil, s)
		r.greets(`{}`)
		r.ask(toolsList)
		level := func() string {
			t.Helper()
			got := s.took()
			if len(got) != 1 {
				t.Fatalf("the server got %s", got)
			}
			_, params, _ := strings.Cut(got[0], " ")
			return memberOf(memberOf(params, "_meta"), "io.modelcontextprotocol/logLevel")
		}
		r.ask(call)
		if got := level(); got != `"info"` {
			t.Errorf("without a word: %s", got)
		}
		r.ask(`{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"error"}}`)
		r.ask(call)
		if got := level(); got != `"error"` {
			t.Errorf("legacy: %s", got)
		}
		r.visit("local").ask(modernCall(5, ""))
		if got := level(); got != "" {
			t.Errorf("modern: %s", got)
		}
	})
}

// TestNotificationsOfAnEndedCall have nowhere to go.
func TestNotificationsOfAnEndedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		held := s.holding()
		r := start(t, nil, s)
		r.greets(`{}`)
		r.ask(toolsList)
		r.ask(call)
		c := held()
		r.ask(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
		c.says(t, logFrame("info", "late"))
		if got := r.got(); len(got) != 0 {
			t.Errorf("got %s", got)
		}
	})
}
