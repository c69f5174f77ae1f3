package relay

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/verdict"
)

const (
	reading    = `{"name":"x","annotations":{"readOnlyHint":true,"idempotentHint":true}}`
	verdictAt  = 150 * time.Millisecond
	longCall   = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":{"a":"SLOW"},"_meta":{"progressToken":"p"}}}`
	longEvil   = `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"s0__x","arguments":{"a":"SLOW EVIL"},"_meta":{"progressToken":"p"}}}`
	progressed = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1,"message":"TAINT"}}`
)

// overlapping starts a relay in front of a server whose only tool may overlap,
// and a scanner that takes 150 ms over a request.
func overlapping(t *testing.T, s *fakeServer, change func(*Options)) (*rig, func() *fakeCall) {
	t.Helper()
	if s.answers == nil {
		s.answers = map[string]string{"tools/list": `{"tools":[` + reading + `]}`}
	}
	held := s.holding()
	r := start(t, func(o *Options) {
		for i := range o.Servers {
			o.Servers[i].Overlap = true
		}
		if change != nil {
			change(o)
		}
	}, s)
	r.judge.dawdle(verdictAt)
	r.greets(everything)
	r.ask(toolsList)
	return r, held
}

// sentEarly sends a call and lets the scanners' head start pass: the server has
// it then.
func (r *rig) sentEarly(frame string, held func() *fakeCall) *fakeCall {
	r.t.Helper()
	r.send(frame)
	time.Sleep(10 * time.Millisecond)
	synctest.Wait()
	c := held()
	if c == nil {
		r.t.Fatal("the request was not sent before its verdict")
	}
	return c
}

// later lets time pass and returns what the client got.
func (r *rig) later(d time.Duration) []string {
	time.Sleep(d)
	return r.got()
}

var scanIDs = regexp.MustCompile(`[A-Z2-7]{20}`)

func TestCallCostsTheLongerOfScanAndTool(t *testing.T) {
	for _, tool := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{}
			r, held := overlapping(t, s, nil)
			begin := time.Now()
			c := r.sentEarly(longCall, held)
			go func() {
				time.Sleep(tool - 10*time.Millisecond)
				c.result(`{"content":[{"type":"text","text":"done"}]}`)
			}()
			for len(r.sink.about()) == 0 {
				time.Sleep(time.Millisecond)
			}
			took, want := time.Since(begin), max(tool, verdictAt)
			if took < want || took > want+10*time.Millisecond {
				t.Errorf("a tool of %s took %s, want %s", tool, took, want)
			}
			if got := r.got(); len(got) != 1 || !strings.Contains(got[0], "done") {
				t.Errorf("got %s", got)
			}
			if n := len(s.took()); n != 1 {
				t.Errorf("the server got %d messages", n)
			}
		})
	}
}

func TestWhatComesEarlyIsHeldBackInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, held := overlapping(t, &fakeServer{}, nil)
		c := r.sentEarly(longCall, held)
		for i := range 3 {
			c.says(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":%d}}`, i))
		}
		c.says(t, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"d"}}`)
		c.says(t, elicit)
		if got := r.later(100 * time.Millisecond); len(got) != 0 {
			t.Fatalf("before the verdict the client got %s", got)
		}
		got := r.later(100 * time.Millisecond)
		if len(got) != 5 || !strings.Contains(got[4], "elicitation/create") {
			t.Fatalf("got %s", got)
		}
		for i := range 3 {
			if !strings.Contains(got[i], fmt.Sprintf(`"progressToken":"p","progress":%d`, i)) {
				t.Errorf("%d: %s", i, got[i])
			}
		}
		id := regexp.MustCompile(`"id":("[^"]*"|\d+)`).FindStringSubmatch(got[4])[1]
		r.replies(id, `{"action":"decline"}`)
		c.result(`{"content":[]}`)
		if got := r.got(); len(got) != 1 || !strings.Contains(got[0], `"id":2,"result":{"content":[]}`) {
			t.Errorf("got %s", got)
		}
	})
}

// Whatever the server does with a call that is refused, and whenever, the client
// gets what it would have got without it.
func TestRefusedCallShowsNothing(t *testing.T) {
	var without string
	synctest.Test(t, func(t *testing.T) {
		r, _ := overlapping(t, &fakeServer{}, func(o *Options) { o.Servers[0].Overlap = false })
		r.send(longEvil)
		without = scanIDs.ReplaceAllString(strings.Join(r.later(time.Second), "\n"), "ID")
	})
	if !strings.Contains(without, `"type":"SecurityBlock"`) {
		t.Fatal(without)
	}
	const tainted = `{"content":[{"type":"text","text":"TAINT"}]}`
	ends := map[string]func(c *fakeCall){
		"nothing":           func(*fakeCall) {},
		"result":            func(c *fakeCall) { c.result(tainted) },
		"slow to be judged": func(c *fakeCall) { c.result(`{"content":[{"type":"text","text":"TAINT SLOW"}]}`) },
		"evil result":       func(c *fakeCall) { c.result(`{"content":[{"type":"text","text":"TAINT EVIL"}]}`) },
		"error":             func(c *fakeCall) { c.fails(`{"code":1,"message":"TAINT"}`) },
		"killed":            func(c *fakeCall) { c.reply(peer.Reply{Err: peer.ErrGone}) },
		"no answer":         func(c *fakeCall) { c.reply(peer.Reply{Err: peer.ErrBadAnswer}) },
		"task":              func(c *fakeCall) { c.result(`{"task":{"taskId":"TAINT","status":"working"}}`) },
		"url":               func(c *fakeCall) { c.fails(`{"code":-32042,"message":"TAINT","data":{"elicitations":[]}}`) },
	}
	for name, end := range ends {
		for _, at := range []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond} {
			t.Run(fmt.Sprint(name, " after ", at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &fakeServer{}
					r, held := overlapping(t, s, nil)
					c := r.sentEarly(longEvil, held)
					says := func() {
						c.says(t, fmt.Sprintf(progressed, "1"))
						c.says(t, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"TAINT"}}`)
						c.says(t, `{"jsonrpc":"2.0","method":"notifications/acme","params":{"a":"TAINT"}}`)
						c.says(t, strings.Replace(elicit, "who?", "TAINT", 1))
						c.conn.says(t, fmt.Sprintf(progressed, "1"))
						c.conn.says(t, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"TAINT"}}`)
						c.conn.says(t, strings.Replace(sample, `"messages":[]`, `"messages":[{"role":"user","content":{"type":"text","text":"TAINT"}}]`, 1))
					}
					says()
					time.Sleep(at)
					end(c)
					got := r.later(2 * time.Second)
					if answer := scanIDs.ReplaceAllString(strings.Join(got, "\n"), "ID"); answer != without {
						t.Errorf("got %s\nwant %s", answer, without)
					}
					early, cancelled := false, at > verdictAt || name == "nothing"
					for i := range r.audit.all {
						rec := &r.audit.all[i]
						early = early || rec.Phase == verdict.Request && rec.Overlapped && rec.Outcome == "blocked"
						if rec.Phase == verdict.Response && rec.Outcome == "passed" {
							t.Errorf("the record says that the answer passed: %+v", rec)
						}
					}
					if !early {
						t.Error("the record does not say that the request was sent")
					}
					server := s.took()
					if slices.ContainsFunc(server, func(m string) bool { return strings.HasPrefix(m, "notifications/cancelled") }) != cancelled {
						t.Errorf("cancelled %v, the server got %s", cancelled, server)
					}
					// Its questions are answered, so that it does not wait for ever.
					for _, id := range []string{"7", "8"} {
						if !slices.ContainsFunc(server, func(m string) bool { return strings.HasPrefix(m, "answer "+id+` {"code"`) }) {
							t.Errorf("question %s was not answered: %s", id, server)
						}
					}
				})
			})
		}
	}
}

// What a server says on the stream of no call may be about any of its calls.
func TestWhatBelongsToNoCallWaitsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{}
		r, held := overlapping(t, s, nil)
		c := r.sentEarly(longEvil, held)
		r.sentEarly(strings.Replace(longCall, `"id":2`, `"id":3`, 1), held)
		c.conn.says(t, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"TAINT"}}`)
		for _, frame := range r.later(time.Second) {
			if strings.Contains(frame, "TAINT") {
				t.Errorf("got %s", frame)
			}
		}
		c.conn.says(t, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"after"}}`)
		if got := r.got(); len(got) != 1 || !strings.Contains(got[0], "after") {
			t.Errorf("got %s", got)
		}
	})
}

func TestServerIsKilledBeforeTheVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{}
		r, held := overlapping(t, s, nil)
		c := r.sentEarly(longCall, held)
		c.reply(peer.Reply{Err: peer.ErrGone})
		if got := r.got(); len(got) != 0 {
			t.Errorf("before the verdict the client got %s", got)
		}
		if got := r.later(time.Second); len(got) != 1 || !strings.Contains(got[0], "may have taken effect") {
			t.Errorf("got %s", got)
		}
		if n := len(s.took()); n != 1 {
			t.Errorf("the request was sent %d times", n)
		}
	})
}

func TestClientCancelsAnOverlappingCall(t *testing.T) {
	for name, end := range map[string]func(c *fakeCall){"": func(*fakeCall) {}, "answered": func(c *fakeCall) { c.result(`{"content":[]}`) }} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{}
				r, held := overlapping(t, s, nil)
				c := r.sentEarly(longCall, held)
				c.says(t, fmt.Sprintf(progressed, "1"))
				end(c)
				r.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}`)
				if got := r.later(time.Second); len(got) != 0 {
					t.Errorf("got %s", got)
				}
				if got := s.took(); len(got) != 2 && name == "" || strings.Count(strings.Join(got, " "), "tools/call") != 1 {
					t.Errorf("the server got %s", got)
				}
				if n := r.relay.servers()[0].unanswered(); n != 0 {
					t.Errorf("%d calls are open", n)
				}
			})
		})
	}
}

func TestOutageDuringAnOverlappingCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, held := overlapping(t, &fakeServer{}, nil)
		c := r.sentEarly(longCall, held)
		r.judge.mu.Lock()
		r.judge.outage = true
		r.judge.mu.Unlock()
		c.result(`{"content":[{"type":"text","text":"TAINT"}]}`)
		// The scan had begun and does not notice; the one of the answer does.
		if got := r.later(time.Second); len(got) != 1 || !strings.Contains(got[0], `"type":"ScannerUnavailable"`) {
			t.Errorf("got %s", got)
		}
	})
}

func TestWhatDoesNotOverlap(t *testing.T) {
	for name, tt := range map[string]struct {
		tool, frame string
		off         bool
	}{
		"no annotations":   {tool: `{"name":"x"}`},
		"not idempotent":   {tool: `{"name":"x","annotations":{"readOnlyHint":true}}`},
		"not read-only":    {tool: `{"name":"x","annotations":{"idempotentHint":true}}`},
		"said to be false": {tool: `{"name":"x","annotations":{"readOnlyHint":true,"idempotentHint":false}}`},
		"as a string":      {tool: `{"name":"x","annotations":{"readOnlyHint":"true","idempotentHint":"true"}}`},
		"destructive":      {tool: `{"name":"x","annotations":{"readOnlyHint":true,"idempotentHint":true,"destructiveHint":true}}`},
		"a task":           {tool: strings.TrimSuffix(reading, "}") + `,"execution":{"taskSupport":"optional"}}`},
		"called as a task": {frame: strings.Replace(longCall, `"arguments"`, `"task":{"ttl":1},"arguments"`, 1)},
		"server not named": {off: true},
		"binary": {frame: strings.Replace(longCall, `"a":"SLOW"`,
			`"a":"SLOW","b":{"type":"image","mimeType":"image/png","data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="}`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{}
				if tt.tool != "" {
					s.answers = map[string]string{"tools/list": `{"tools":[` + tt.tool + `]}`}
				}
				r, held := overlapping(t, s, func(o *Options) { o.Servers[0].Overlap = !tt.off })
				if tt.frame == "" {
					tt.frame = longCall
				}
				r.send(tt.frame)
				r.later(100 * time.Millisecond)
				if held() != nil {
					t.Error("it was sent before its verdict")
				}
				r.later(time.Second)
				if held() == nil {
					t.Error("it was not sent at all")
				}
			})
		})
	}
}

func TestQuestionsOfAModernServerAreHeldBack(t *testing.T) {
	for _, evil := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{modern: true, answers: map[string]string{"tools/list": `{"tools":[` + reading + `],"resultType":"complete","ttlMs":0,"cacheScope":"private"}`}}
			r, held := overlapping(t, s, nil)
			frame := longCall
			if evil {
				frame = longEvil
			}
			c := r.sentEarly(frame, held)
			c.result(`{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"TAINT","requestedSchema":{"type":"object","properties":{}}}}},"requestState":"st"}`)
			if got := r.got(); len(got) != 0 {
				t.Fatalf("before the verdict the client got %s", got)
			}
			got := r.later(200 * time.Millisecond)
			if len(got) != 1 || strings.Contains(got[0], "TAINT") == evil {
				t.Fatalf("got %s", got)
			}
			if evil {
				return
			}
			s.took()
			id := regexp.MustCompile(`"id":("[^"]*"|\d+)`).FindStringSubmatch(got[0])[1]
			r.replies(id, `{"action":"decline"}`)
			r.later(100 * time.Millisecond)
			if n := len(s.took()); n != 0 {
				t.Error("the next round was sent before its verdict")
			}
			r.later(time.Second)
			if n := len(s.took()); n != 1 {
				t.Errorf("the next round was sent %d times", n)
			}
		})
	}
}

func TestModernClientOfAnOverlappingCall(t *testing.T) {
	for _, evil := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r, held := overlapping(t, &fakeServer{}, nil)
			v := r.visit("local")
			text := `"a":"SLOW"`
			if evil {
				text = `"a":"SLOW EVIL"`
			}
			c := v.sentEarly(strings.Replace(modernCall(5, ""), `"a":1`, text, 1), held)
			c.says(t, elicit)
			c.says(t, strings.Replace(elicit, `"id":7`, `"id":9`, 1))
			time.Sleep(50 * time.Millisecond)
			if got := v.got(); len(got) != 0 {
				t.Fatalf("before the verdict the client got %s", got)
			}
			got := v.later(time.Second)
			if len(got) != 1 || strings.Contains(got[0], "input_required") == evil || strings.Contains(got[0], "SecurityBlock") != evil {
				t.Fatalf("got %s", got)
			}
		})
	}
}

// A server that floods a call cannot keep its own reader waiting after the call
// was refused.
func TestFloodDuringARefusedCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, held := overlapping(t, &fakeServer{}, nil)
		c := r.sentEarly(longEvil, held)
		flooded := make(chan struct{})
		go func() {
			defer close(flooded)
			for range 2 * laneLimit {
				c.says(t, fmt.Sprintf(progressed, "1"))
			}
		}()
		if got := r.later(time.Second); len(got) != 1 || strings.Contains(got[0], "TAINT") {
			t.Errorf("got %s", got)
		}
		select {
		case <-flooded:
		default:
			t.Error("the server's reader waits for ever")
		}
	})
}
