package conformance

import (
	"flag"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// canaries makes texts that occur nowhere else.
type canaries struct{ last int }

func (c *canaries) next() string {
	c.last++
	return "CANARY" + strconv.Itoa(c.last) + "Z"
}

var canaryPattern = regexp.MustCompile(`CANARY\d+Z`)

// sung returns the canaries in texts.
func sung(texts []string) map[string]bool {
	out := map[string]bool{}
	for _, text := range texts {
		for _, c := range canaryPattern.FindAllString(text, -1) {
			out[c] = true
		}
	}
	return out
}

// taint returns copies of a document, each with a canary at another place: as a
// value, as a member's name, or as a new member.
func taint(doc *node, c *canaries) map[string]string {
	out := map[string]string{}
	doc.each(func(path []string, v *node) {
		canary := c.next()
		switch {
		case v.isLeaf():
			was := v.leaf
			v.leaf = `"` + canary + `"`
			out[canary] = doc.String()
			v.leaf = was
		case v.isObject():
			v.names, v.kids = append(v.names, `"`+canary+`"`), append(v.kids, leaf(`"`+canary+`"`))
			out[canary] = doc.String()
			v.names, v.kids = v.names[:len(v.names)-1], v.kids[:len(v.kids)-1]
			for i := range v.names {
				canary = c.next()
				was := v.names[i]
				v.names[i] = `"` + canary + `"`
				out[canary] = doc.String()
				v.names[i] = was
			}
		case len(path) > 0:
			v.kids = append(v.kids, leaf(`"`+canary+`"`))
			out[canary] = doc.String()
			v.kids = v.kids[:len(v.kids)-1]
		}
	})
	return out
}

// thorough has every generated document sent over every way, which takes minutes.
var thorough = flag.Bool("thorough", false, "send every generated document over every combination of transports")

// impatience is how long a frame is waited for that may have been refused.
const impatience = 250 * time.Millisecond

// TestNothingPassesUnseen puts a canary at every place of every message that the
// schemas of both eras know, in both directions: a scanner has seen it, or it
// does not come out at the other end.
func TestNothingPassesUnseen(t *testing.T) {
	for i, w := range taintWays {
		if (i == 0 || i == 3) && !*thorough {
			continue // one of each era, and one of each transport
		}
		t.Run(w.String(), func(t *testing.T) {
			r := newRig(t, w, rigOptions{})
			r.brief = impatience
			var c canaries
			toClient, toServer := map[string]string{}, map[string]string{}
			for _, f := range flowsOf(t, w.server) {
				into := toServer
				if f.toClient {
					into = toClient
				}
				docs := f.docs
				if !*thorough && len(docs) > 1 {
					docs = docs[:1]
				}
				for _, doc := range docs {
					tainted := taint(doc.clone(), &c)
					for _, canary := range slices.Sorted(maps.Keys(tainted)) {
						into[canary] = f.name + ": " + tainted[canary]
						f.play(r, tainted[canary])
					}
				}
			}
			r.envelopes(&c, toClient, toServer)
			r.stop()
			seen := sung([]string{r.saw()})
			for _, side := range []struct {
				name  string
				sent  map[string]string
				came  map[string]bool
				least int
			}{
				{"client", toClient, sung(r.everything(true)), 100},
				{"server", toServer, sung(r.everything(false)), 50},
			} {
				came, unseen := escapees(side.sent, side.came, seen)
				for _, canary := range unseen {
					t.Errorf("%s reached the %s unseen in %s", canary, side.name, tail(side.sent[canary], 600))
				}
				t.Logf("%d of %d canaries reached the %s", came, len(side.sent), side.name)
				if came < side.least {
					t.Errorf("only %d canaries reached the %s: the test does not test", came, side.name)
				}
			}
		})
	}
}

// escapees returns how many of the canaries that were sent came out, and those of
// them that no scanner saw.
func escapees(sent map[string]string, came, seen map[string]bool) (count int, unseen []string) {
	for canary := range came {
		if _, ok := sent[canary]; !ok {
			continue // the other end's own
		}
		count++
		if !seen[canary] {
			unseen = append(unseen, canary)
		}
	}
	slices.Sort(unseen)
	return count, unseen
}

func TestEscapees(t *testing.T) {
	came := sung([]string{`{"a":"CANARY1Z","CANARY2Z":1}`, "CANARY3Z CANARY4Z"})
	count, unseen := escapees(map[string]string{"CANARY1Z": "", "CANARY2Z": "", "CANARY4Z": "", "CANARY5Z": ""}, came, map[string]bool{"CANARY2Z": true})
	if count != 3 || !slices.Equal(unseen, []string{"CANARY1Z", "CANARY4Z"}) {
		t.Errorf("%d came, unseen %s", count, unseen)
	}
	var c canaries
	if tainted := taint(mustParse(t, `{"a":["b",{}],"c":1}`), &c); len(tainted) != 7 {
		t.Errorf("%d places: %s", len(tainted), tainted)
	}
}

var taintWays = []way{
	{overPipe, overPipe, legacy, legacy},
	{overHTTP, overHTTP, legacy, legacy},
	{overPipe, overPipe, modern, modern},
	{overHTTP, overHTTP, modern, modern},
}

// envelopes puts canaries into what is around params and results.
func (r *rig) envelopes(c *canaries, toClient, toServer map[string]string) {
	call := r.usual("tools/call")
	server := func(frames ...string) {
		canary := c.next()
		id := r.ask("tools/call", call)
		e := r.arrival(id, "tools/call")
		if e == nil {
			return
		}
		toClient[canary] = strings.Join(frames, "\n")
		for _, frame := range frames {
			e.say([]byte(strings.NewReplacer("ID", string(e.ID), "CANARY", canary).Replace(frame)))
		}
		e.say(response(e.ID, "result", r.fine("tools/call")))
		r.answerTo(id)
	}
	server(`{"jsonrpc":"2.0","id":ID,"result":{},"CANARY":"CANARY"}`)
	server(`{"jsonrpc":"2.0","id":"CANARY","result":{}}`)
	server(`{"jsonrpc":"CANARY","id":ID,"result":{}}`)
	server(`{"jsonrpc":"2.0","id":ID,"result":{},"error":{"code":1,"message":"CANARY"}}`)
	server(`{"jsonrpc":"2.0","id":ID,"result":"CANARY"}`)
	server(`{"jsonrpc":"2.0","id":ID,"error":"CANARY"}`)
	server(`{"jsonrpc":"2.0","id":ID,"result":{"x":"CANARY"},"result":{}}`)
	server(`{"jsonrpc":"2.0","id":ID,"result":{},"Result":{"x":"CANARY"}}`)
	server(`{"jsonrpc":"2.0","method":"notifications/CANARY","params":{}}`)
	server(`{"jsonrpc":"2.0","method":"CANARY"}`)
	server(`{"jsonrpc":"2.0","id":"CANARY","method":"ping"}`)
	server(`{"jsonrpc":"2.0","id":"CANARY","method":"roots/list"}`)
	server(`{"jsonrpc":"2.0","id":1,"method":"CANARY/x"}`)
	server(`[{"jsonrpc":"2.0","id":ID,"result":{"x":"CANARY"}}]`)
	server(`CANARY`)
	server(`{"jsonrpc":"2.0","id":ID,"result":{"x":"CANARY`)
	server(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"CANARY","progress":1}}`)
	server(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"CANARY","reason":"CANARY"}}`)
	client := func(frame string) {
		canary := c.next()
		toServer[canary] = frame
		_ = r.wire.send([]byte(strings.ReplaceAll(frame, "CANARY", canary))) // it may be refused
	}
	client(`{"jsonrpc":"2.0","id":"CANARY","method":"tools/call","params":` + call + `}`)
	client(`{"jsonrpc":"2.0","id":9001,"method":"tools/call","params":` + call + `,"CANARY":"CANARY"}`)
	client(`{"jsonrpc":"CANARY","id":9002,"method":"tools/call","params":` + call + `}`)
	client(`{"jsonrpc":"2.0","id":9003,"method":"CANARY","params":` + call + `}`)
	client(`{"jsonrpc":"2.0","method":"notifications/CANARY","params":` + call + `}`)
	client(`{"jsonrpc":"2.0","id":"CANARY","result":{}}`)
	client(`{"jsonrpc":"2.0","id":1,"result":{"x":"CANARY"}}`)
	client(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"CANARY","reason":"CANARY"}}`)
	client(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"CANARY","progress":1,"message":"CANARY"}}`)
	client(`CANARY`)
	// What got through is answered, so that the relay need not wait for it.
	r.awaitFor(time.Second, func(e *event) bool {
		if !e.atClient && e.isRequest() {
			e.say(response(e.ID, "result", r.fine(e.Method)))
		}
		return false
	})
}
