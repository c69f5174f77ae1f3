package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var soakFor = flag.Duration("soak", 0, "how long the soak runs; 0: not at all")

const (
	soakClients = 50
	// settled is how long the relay may take to come to rest: the process in which
	// it judges again what was in a scanner that died waits half a minute for more.
	settled = 45 * time.Second
	// restingGoroutines is how many a relay with four servers and a scanner may
	// have when nobody asks for anything.
	restingGoroutines = 140
)

// soak is a relay under clients that behave as badly as they may.
type soak struct {
	t     *testing.T
	relay *relayProcess
	url   string
	seen  string
	webs  []*fakeServer

	next atomic.Int64 // every call has a number of its own

	mu       sync.Mutex
	executed map[string]int // how often a server ran each call
	answered int
	gaveUp   int // calls that their client cancelled or left
	failed   int // calls that the relay answered with an error: a server or scanner was dead
	progress int
}

// TestSoak runs clients of both eras against servers of both eras and transports,
// while clients cancel, hang up and leave and servers and scanners are killed. No
// message may be lost, swapped, doubled or unjudged, and nothing may be left.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("run make soak")
	}
	s := newSoak(t)
	before := s.census()
	end := time.Now().Add(*soakFor)
	var wg sync.WaitGroup
	for i := range soakClients {
		wg.Go(func() {
			for round := 0; time.Now().Before(end); round++ {
				s.client(i, round, end)
			}
		})
	}
	stop := make(chan struct{})
	var killers sync.WaitGroup
	for _, what := range []string{pipeRole, recorderRole} {
		killers.Go(func() { s.kill(what, stop) })
	}
	wg.Wait()
	close(stop)
	killers.Wait()
	s.check(before)
}

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{t: t, executed: map[string]int{}, seen: filepath.Join(t.TempDir(), "seen")}
	servers := map[string]any{}
	for _, era := range []string{legacy, modern} {
		for _, transport := range []string{overPipe, overHTTP} {
			own := &rig{t: t, way: way{"", transport, era, era}, events: make(chan event, 1), listed: plainLists()}
			brain := func(frame []byte, say func([]byte)) { s.serve(own, era+transport, frame, say) }
			fake := newFakeServer(t, transport, era, brain)
			servers[era+transport] = fake.entry
			s.webs = append(s.webs, fake)
		}
	}
	address := freeAddress(t)
	s.relay = startRelay(t, object("mcpServers", servers, "relay", object(
		"http", object("listen", address, "auth", "none"),
		"scanners", []any{object("name", "recorder", "plugin", program(recorderRole), "config", object("file", s.seen))},
	)))
	awaitAddress(t, address)
	s.url = "http://" + address + "/mcp"
	w := newHTTPWire(s.url)
	defer w.close()
	c := newMCPClient(w, false)
	if err := c.handshake(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, s.relay.stderr)
	}
	if tools, err := c.tools(t.Context()); err != nil || len(tools) != 4 {
		t.Fatalf("%d tools: %v\n%s", len(tools), err, s.relay.stderr)
	}
	w.leave()
	return s
}

// serve is the brain of all servers: it writes down which call it runs, tells of
// progress, asks sometimes, and answers with the number of the call.
func (s *soak) serve(house *rig, server string, frame []byte, say func([]byte)) {
	e := open(frame)
	if e.Method != "tools/call" {
		house.thinkAlone(frame, say)
		return
	}
	number := numberOf(string(member(member(e.Params, "arguments"), "n")))
	s.mu.Lock()
	s.executed[number]++
	s.mu.Unlock()
	n, _ := strconv.Atoi(strings.Trim(number, "Nn"))
	go func() {
		token := member(member(e.Params, "_meta"), "progressToken")
		for i := range n % 3 {
			if string(token) == "null" {
				break
			}
			say([]byte(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + string(token) + `,"progress":` + strconv.Itoa(i+1) +
				`,"message":"` + number + `"}}`))
		}
		time.Sleep(time.Duration(n%7) * 3 * time.Millisecond)
		more := ""
		if strings.HasPrefix(server, modern) {
			more = `,"resultType":"complete"`
		}
		say(response(e.ID, "result", `{"content":[{"type":"text","text":"`+number+` by `+server+`"}]`+more+`}`))
	}()
}

// numberOf takes a number out of a JSON string.
func numberOf(text string) string { return strings.Trim(text, `"`) }

// client is one life of one client.
func (s *soak) client(i, round int, end time.Time) {
	w := newHTTPWire(s.url)
	defer w.close()
	isModern := i%2 == 1
	if !isModern {
		c := newMCPClient(w, false)
		if err := c.handshake(s.t.Context()); err != nil {
			s.t.Errorf("client %d: %v", i, err)
			return
		}
	}
	for j := range 40 {
		if time.Now().After(end) {
			break
		}
		s.call(w, isModern, i*1000+round+j)
	}
	if i%5 != 0 { // the others go without a word
		w.leave()
	}
}

// call makes one call, in one of the ways in which a client may.
func (s *soak) call(w *httpWire, isModern bool, how int) {
	number := "N" + strconv.FormatInt(s.next.Add(1), 10) + "n"
	eras, transports := []string{legacy, modern}, []string{overPipe, overHTTP}
	server := eras[rand.IntN(2)] + transports[rand.IntN(2)]
	id := `"` + number + `"`
	params := `{"name":"` + server + `__` + aTool + `","arguments":{"n":"` + number + `"},"_meta":{"progressToken":"` + number + `"}}`
	if isModern {
		params = strings.Replace(params, `"_meta":{`, metaMember[:len(metaMember)-1]+`,`, 1)
	}
	if err := w.send([]byte(`{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":` + params + `}`)); err != nil {
		s.t.Errorf("sending: %v", err)
		return
	}
	gives := how%11 == 3
	if gives {
		time.Sleep(time.Duration(how%9) * time.Millisecond)
		if isModern {
			w.hangUp(id)
		} else {
			_ = w.send([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`))
		}
	}
	s.await(w, id, number, server, gives)
}

// await reads until the call is answered.
func (s *soak) await(w *httpWire, id, number, server string, gives bool) {
	patience := 60 * time.Second
	if gives {
		patience = 50 * time.Millisecond // it may have been answered before it was cancelled
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			s.mu.Lock()
			s.gaveUp++
			s.mu.Unlock()
			if !gives {
				s.t.Errorf("%s was never answered", number)
			}
			return
		case frame := <-w.frames():
			e := open(frame)
			text := string(frame)
			switch {
			case e.Method == "notifications/progress":
				s.mu.Lock()
				s.progress++
				s.mu.Unlock()
				// Progress of a call that was given up may still come.
				if !strings.Contains(text, number) && !gives && !s.stale(text) {
					s.t.Errorf("%s got the progress %s", number, text)
				}
			case strings.HasSuffix(e.Method, "/list_changed"): // a server was gone for long
			case e.Method != "":
				s.t.Errorf("%s got %s", number, text)
			case strings.HasPrefix(text, `{"broken"`):
				if gives {
					s.mu.Lock()
					s.gaveUp++
					s.mu.Unlock()
					return
				}
				s.t.Errorf("%s: %s", number, text)
				return
			case string(e.ID) != id:
				if !s.stale(text) {
					s.t.Errorf("%s got the answer %s", number, text)
				}
			default:
				s.took(e, text, number, server)
				return
			}
		}
	}
}

// stale reports whether a frame belongs to a call that this connection's client
// may have given up: its number says so.
func (s *soak) stale(text string) bool {
	at := strings.Index(text, "N")
	if at < 0 {
		return false
	}
	n, err := strconv.ParseInt(text[at+1:at+1+max(0, strings.IndexByte(text[at+1:], 'n'))], 10, 64)
	return err == nil && n <= s.next.Load()
}

// took counts an answer and looks whether it is the right one.
func (s *soak) took(e envelope, text, number, server string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(e.Error) > 0 || strings.Contains(text, `"isError":true`) {
		s.failed++
		return
	}
	s.answered++
	if !strings.Contains(text, number+" by "+server) {
		s.t.Errorf("%s of %s was answered %s", number, server, text)
	}
	if s.executed[number] != 1 {
		s.t.Errorf("%s was answered and ran %d times", number, s.executed[number])
	}
}

// kill ends processes of one kind, one at a time.
func (s *soak) kill(what string, stop <-chan struct{}) {
	every := max(*soakFor/6, 4*time.Second) // seldom enough for a scanner not to be given up
	for {
		select {
		case <-stop:
			return
		case <-time.After(every):
		}
		for _, pid := range descendants(s.relay.cmd.Process.Pid) {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if strings.HasPrefix(string(text), program(what)) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				break
			}
		}
	}
}

// descendants returns the processes that a process started, and those of theirs.
func descendants(of int) []int {
	parents := map[int]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) > 2 && fields[0] != "Z" {
			parents[pid], _ = strconv.Atoi(fields[1])
		}
	}
	var out []int
	for pid := range parents {
		for p := pid; p != 0; p = parents[p] {
			if parents[p] == of {
				out = append(out, pid)
				break
			}
		}
	}
	return out
}

// census is what there is of something that can leak.
type census struct {
	processes, descriptors, threads, kilobytes int
	names                                      []string // of the processes and descriptors
}

func (s *soak) census() census {
	pid := s.relay.cmd.Process.Pid
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	children := descendants(pid)
	c := census{processes: len(children), descriptors: len(entries)}
	for _, child := range children {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
		c.names = append(c.names, strings.ReplaceAll(string(text), "\x00", " "))
	}
	sockets := connections(pid)
	for _, e := range entries {
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, e.Name()))
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			to = "socket " + sockets[strings.TrimSuffix(inode, "]")]
		}
		c.names = append(c.names, to)
	}
	slices.Sort(c.names)
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		switch name {
		case "Threads":
			c.threads = n
		case "VmRSS":
			c.kilobytes = n
		}
	}
	return c
}

// told leaves out of what the relay said what each killing makes it say often.
func told(said string) string {
	var out []string
	for line := range strings.Lines(said) {
		if !strings.Contains(line, "progress_of_no_call") && !strings.Contains(line, "gave no verdict") {
			out = append(out, line)
		}
	}
	return tail(strings.Join(out, ""), 20000)
}

// goroutines has the relay say what it is doing, which ends it, and looks whether
// that is more than a relay at rest does.
func (s *soak) goroutines() {
	quiet := len(s.relay.stderr.String())
	_ = syscall.Kill(s.relay.cmd.Process.Pid, syscall.SIGQUIT)
	var dump string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		dump = s.relay.stderr.String()[quiet:]
		if strings.Contains(dump, "\nrax") || strings.Contains(dump, "\nx0") || strings.Contains(dump, "\nr0") {
			break // registers come last
		}
	}
	count := strings.Count(dump, "\ngoroutine ")
	by := map[string]int{}
	for line := range strings.Lines(dump) {
		if who, ok := strings.CutPrefix(line, "created by "); ok {
			who, _, _ = strings.Cut(who, " in goroutine")
			by[strings.TrimSpace(who)]++
		}
	}
	s.t.Logf("%d goroutines in the end: %v", count, by)
	if count == 0 || count > restingGoroutines {
		s.t.Errorf("%d goroutines are left:\n%s", count, tail(dump, 20000))
	}
}

// connections returns the ends of a process's TCP connections and their states, as
// the system writes them, by inode.
func connections(pid int) map[string]string {
	out := map[string]string{}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 9 {
			out[f[9]] = f[1] + " " + f[2] + " " + f[3]
		}
	}
	return out
}

// check looks at the sums in the end.
func (s *soak) check(before census) {
	t := s.t
	seen := s.judged()
	s.mu.Lock()
	for number, times := range s.executed {
		if times > 1 {
			t.Errorf("%s ran %d times", number, times)
		}
		if !seen[number] {
			t.Errorf("%s ran unjudged", number)
		}
	}
	t.Logf("%d calls: %d answered, %d given up, %d failed while something was dead; %d ran; %d tellings of progress",
		s.next.Load(), s.answered, s.gaveUp, s.failed, len(s.executed), s.progress)
	if s.answered < int(s.next.Load())/2 {
		t.Errorf("only %d of %d calls were answered", s.answered, s.next.Load())
	}
	s.mu.Unlock()
	for _, fake := range s.webs { // connections that are kept for the next call are no leak
		if fake.web != nil {
			fake.web.Config.SetKeepAlivesEnabled(false)
		}
	}
	var after census
	for end := time.Now().Add(settled); ; time.Sleep(200 * time.Millisecond) {
		after = s.census()
		if after.processes <= before.processes && after.descriptors <= before.descriptors+4 || time.Now().After(end) {
			break
		}
	}
	t.Logf("%d processes, %d descriptors, %d threads, %d KiB before, %d, %d, %d, %d after", before.processes, before.descriptors, before.threads,
		before.kilobytes, after.processes, after.descriptors, after.threads, after.kilobytes)
	if after.processes > before.processes || after.descriptors > before.descriptors+4 {
		t.Errorf("something is left: %s were %s", after.names, before.names)
	}
	said := s.relay.stderr.String()
	s.goroutines()
	if t.Failed() {
		t.Logf("the relay said:\n%s", told(said))
	}
	if strings.Contains(said, "panic:") || strings.Contains(said, "DATA RACE") {
		t.Errorf("the relay said:\n%s", tail(said, 8000))
	}
}

// judged returns the numbers that the scanners saw in requests.
func (s *soak) judged() map[string]bool {
	seen := map[string]bool{}
	for _, text := range record(s.t, s.seen) {
		if i := strings.Index(text, `"n":"N`); i >= 0 {
			number, _, _ := strings.Cut(text[i+len(`"n":"`):], `"`)
			seen[number] = true
		}
	}
	return seen
}
