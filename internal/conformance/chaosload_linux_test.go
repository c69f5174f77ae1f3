package conformance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
)

// house is the servers of a chaos: s0, s1 and so on, of both eras and transports.
type house struct {
	t       *testing.T
	entries map[string]any
	servers []*fakeServer

	leaked atomic.Int64 // marks that reached a server
	ran    sync.Map     // the calls that servers ran, by number
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, entries: map[string]any{}}
	for i, k := range []struct{ era, transport string }{{legacy, overPipe}, {legacy, overHTTP}, {modern, overPipe}, {modern, overHTTP}} {
		h.add(fmt.Sprintf("s%d", i), k.transport, k.era)
	}
	return h
}

// add adds a server.
func (h *house) add(name, transport, era string) {
	lists := plainLists()
	lists["tools/list"] = `{"tools":[{"name":"` + aTool + `","description":"UNCLEARED-0 of ` + name + `","inputSchema":{"type":"object"}}]}`
	own := &rig{t: h.t, way: way{"", transport, era, era}, events: make(chan event, 1), listed: lists}
	f := newFakeServer(h.t, transport, era, func(frame []byte, say func([]byte)) { h.serve(own, era == modern, frame, say) })
	h.entries[name] = f.entry
	h.servers = append(h.servers, f)
}

// serve is the brain of the servers: each call is answered with a mark of its own,
// after word of progress with another, and with a pill when it is asked for one.
func (h *house) serve(own *rig, isModern bool, frame []byte, say func([]byte)) {
	e := open(frame)
	if e.Method != "tools/call" {
		own.thinkAlone(frame, say)
		return
	}
	arguments := member(e.Params, "arguments")
	number := numberOf(string(member(arguments, "n")))
	if marked.Match(e.Params) {
		h.leaked.Add(1)
	}
	if _, twice := h.ran.LoadOrStore(number, true); twice {
		h.t.Errorf("call %s ran twice", number)
	}
	text := "UNCLEARED-" + number + " is the answer to " + number
	switch kind := numberOf(string(member(arguments, "kind"))); kind {
	case "crash", "hang", "corrupt":
		text += " PILL-" + kind + " " + number // no two are alike
	}
	go func() {
		if token := member(member(e.Params, "_meta"), "progressToken"); string(token) != "null" {
			say([]byte(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + string(token) +
				`,"progress":1,"message":"UNCLEARED-` + number + `"}}`))
		}
		more := ""
		if isModern {
			more = `,"resultType":"complete"`
		}
		say(response(e.ID, "result", `{"content":[{"type":"text","text":"`+text+`"}]`+more+`}`))
	}()
}

// load is one client that calls one tool after the other.
type load struct {
	t        *testing.T
	wire     *httpWire
	isModern bool
	house    *house
	// wrong says why a mark, or a pill, should not have arrived; empty: it may.
	wrong   func(mark string) string
	of      string // whose clients these are, in the sums
	answers map[string]int
}

var numbers atomic.Int64

func newLoad(t *testing.T, url string, h *house, isModern bool, wrong func(string) string) *load {
	t.Helper()
	l := &load{t: t, wire: newHTTPWire(url), isModern: isModern, house: h, wrong: wrong, answers: map[string]int{}}
	if !isModern {
		if err := newMCPClient(l.wire, false).handshake(t.Context()); err != nil {
			t.Errorf("the handshake: %v", err)
		}
	}
	return l
}

func (l *load) leave() {
	l.wire.leave()
	l.wire.close()
}

// hot is what should not arrive: marks, and what breaks a scanner.
var hot = regexp.MustCompile(`UNCLEARED-\d+|PILL-\w+`)

// longest is how long a call may take: scanners time out after a second, and are
// asked again alone, where others wait too.
const longest = 60 * time.Second

// call makes a call and waits for its one answer. It returns how long that took and
// whether it came through.
func (l *load) call(server, pill string, sum *chaosTally) (took time.Duration, fine bool) {
	number := strconv.FormatInt(numbers.Add(1), 10)
	id := `"c` + number + `"`
	params := `{"name":"` + server + `__` + aTool + `","arguments":{"n":"` + number + `","text":"UNCLEARED-` + number +
		`","kind":"` + strings.TrimPrefix(pill, "PILL-") + `"},"_meta":{"progressToken":"t` + number + `"}}`
	if l.isModern {
		params = strings.Replace(params, `"_meta":{`, metaMember[:len(metaMember)-1]+`,`, 1)
	}
	start := time.Now()
	if err := l.wire.send([]byte(`{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":` + params + `}`)); err != nil {
		l.t.Errorf("sending: %v", err)
		return 0, false
	}
	timer := time.NewTimer(longest)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			l.t.Errorf("call %s of %s was never answered", number, server)
			return 0, false
		case frame := <-l.wire.frames():
			sum.did("messages to clients")
			l.look(frame)
			e := open(frame)
			if !e.isResponse() {
				if strings.HasPrefix(string(frame), `{"broken"`) {
					l.t.Errorf("call %s: %s", number, frame)
					return 0, false
				}
				continue
			}
			if l.answers[string(e.ID)]++; l.answers[string(e.ID)] > 1 {
				l.t.Errorf("%s was answered %d times", e.ID, l.answers[string(e.ID)])
			}
			if string(e.ID) != id {
				continue
			}
			return time.Since(start), l.took(&e, number, pill, sum)
		}
	}
}

// look looks for what should not have arrived.
func (l *load) look(frame []byte) {
	text := string(frame)
	for _, mark := range hot.FindAllString(text, -1) {
		if why := l.wrong(mark); why != "" {
			l.t.Errorf("%s arrived, and %s: %s", mark, why, tail(text, 300))
		}
	}
}

// took counts an answer.
func (l *load) took(e *envelope, number, pill string, sum *chaosTally) bool {
	text := string(e.Result) + string(e.Error)
	what := "with its mark"
	fine := false
	switch {
	case len(e.Error) > 0 || strings.Contains(text, `"isError":true`):
		what = "refused"
	case strings.Contains(text, "is the answer to "+number):
		fine = true
		if strings.Contains(text, "[redacted:test.mark") {
			what = "cleared"
		} else if !marked.MatchString(text) {
			l.t.Errorf("an answer that nobody gave: %s", text)
		}
	default:
		l.t.Errorf("call %s was answered %s", number, tail(text, 300))
	}
	if pill != "" {
		what = "pills " + what
	}
	sum.did("calls")
	sum.did(what)
	sum.did(l.of + ": " + what)
	return fine
}

// chaosTally counts what happened in a chaos.
type chaosTally struct {
	mu     sync.Mutex
	counts map[string]int
	seen   map[string]bool // marks that AIRS judged
	dumped map[creed]bool
	rests  []string
}

func newChaosTally() *chaosTally {
	return &chaosTally{counts: map[string]int{}, seen: map[string]bool{}, dumped: map[creed]bool{}}
}

func (s *chaosTally) did(what string) { s.add(map[string]int{what: 1}) }

func (s *chaosTally) add(what map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plus(s.counts, what)
}

// seenByAIRS reports whether AIRS gave a verdict on a mark.
func (s *chaosTally) seenByAIRS(airs *airstest.Server, mark string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range airs.Take() {
		if r.Status == 200 && strings.Contains(string(r.Answer), `"action"`) {
			for _, m := range marked.FindAllString(string(r.Body), -1) {
				s.seen[m] = true
			}
		}
	}
	return s.seen[mark]
}

func (s *chaosTally) rested(t *testing.T, c creed, before, after census) {
	t.Helper()
	if after.kilobytes > 2*before.kilobytes+growth {
		t.Errorf("%s: %d KiB became %d", c, before.kilobytes, after.kilobytes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rests = append(s.rests, fmt.Sprintf("%s: %d processes, %d descriptors, %d threads, %d KiB before; %d, %d, %d, %d after", c,
		before.processes, before.descriptors, before.threads, before.kilobytes,
		after.processes, after.descriptors, after.threads, after.kilobytes))
}

// growth is by how much the memory of a relay may have grown at rest, in KiB, when
// it has doubled: its collector lets as much lie as three times what is in use, and
// under the race detector everything takes several times the room.
const growth = 16 << 10

// countGoroutines reports whether the goroutines of a relay are to be counted: of
// one of each creed.
func (s *chaosTally) countGoroutines(c creed) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.dumped[c]
	s.dumped[c] = true
	return !was
}

// report logs the sums, and holds a long run to what it should have had.
func (s *chaosTally) report(t *testing.T, rounds int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	t.Logf("%d rounds", rounds)
	for _, what := range slices.Sorted(maps.Keys(s.counts)) {
		t.Logf("%7d %s", s.counts[what], what)
	}
	for _, rest := range s.rests {
		t.Log(rest)
	}
	for _, what := range []string{
		"calls", "kills", "cleared", "pills refused", "blocked because of what they did to a scanner",
		"block: cleared", "allow: cleared", "fallback: cleared", "fallback: with its mark",
	} {
		if s.counts[what] == 0 {
			t.Errorf("no %s: the test does not test", what)
		}
	}
	if s.counts["cleared"] < s.counts["calls"]/10 {
		t.Errorf("only %d of %d calls were cleared", s.counts["cleared"], s.counts["calls"])
	}
	if *chaosFor >= fullChaos && (s.counts["messages to clients"] < leastMessages || s.counts["kills"] < leastKills) {
		t.Errorf("%d messages and %d kills: at least %d and %d are needed", s.counts["messages to clients"], s.counts["kills"], leastMessages, leastKills)
	}
}

// byContent counts in an audit record what failed because of its content: what
// passed all the same, and what did not.
func byContent(t *testing.T, path string) (passed, blocked int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Errorf("the audit record: %v", err)
		return 0, 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r struct{ Cause, Outcome, Mode string }
		if json.Unmarshal(lines.Bytes(), &r) != nil || r.Cause != "content" || r.Mode != "enforce" {
			continue
		}
		if strings.HasPrefix(r.Outcome, "passed") {
			passed++
		} else {
			blocked++
		}
	}
	return passed, blocked
}
