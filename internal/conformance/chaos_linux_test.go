package conformance

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mcp-relay/relay/plugins/panscanner/airstest"
)

var chaosFor = flag.Duration("chaos", 0, "how long the chaos lasts; 0: not at all")

const (
	// chaosRound is how long one set of relays lives under load. A scanner that
	// dies five times for no reason is given up, and a server whose content was in
	// one that died is judged no more for minutes: then there is nothing left to
	// see, and relays begin anew.
	chaosRound   = 20 * time.Second
	chaosClients = 6 // of each relay
	chaosPause   = 30 * time.Millisecond
	// What a run of the full length must have had.
	fullChaos     = 5 * time.Minute
	leastMessages = 10_000
	leastKills    = 50
)

// creed is what a relay does when a scanner is out.
type creed string

const (
	blockCreed    creed = "block"
	allowCreed    creed = "allow"
	fallbackCreed creed = "fallback"
)

// TestChaos has scanners and Prisma AIRS die, stop, hang, lie and break over what
// they are shown, at random, while clients of both eras call tools of servers of
// both eras. With on_error: block or fallback nothing arrives that was not judged;
// with allow no call is lost, and what broke the scanner does not arrive; nothing is
// left afterwards.
func TestChaos(t *testing.T) {
	if *chaosFor == 0 {
		t.Skip("run make chaos")
	}
	sum := newChaosTally()
	var settling sync.WaitGroup
	defer settling.Wait()
	end := time.Now().Add(*chaosFor)
	rounds := 0
	for ; time.Now().Before(end); rounds++ {
		left := min(chaosRound, time.Until(end))
		var relays []*chaos
		for _, creed := range []creed{blockCreed, allowCreed, fallbackCreed} {
			relays = append(relays, newChaos(t, creed, sum))
		}
		stop := make(chan struct{})
		time.AfterFunc(left, func() { close(stop) })
		var round sync.WaitGroup
		for _, c := range relays {
			before := c.census()
			round.Go(func() {
				c.rage(stop)
				settling.Go(func() { c.settle(before) })
			})
		}
		round.Wait()
	}
	settling.Wait()
	sum.report(t, rounds)
}

// chaos is one relay whose scanners are tormented.
type chaos struct {
	t       *testing.T
	creed   creed
	sum     *chaosTally
	house   *house
	relay   *relayProcess
	url     string
	control string
	airs    *airstest.Server
	stop    func()
}

func newChaos(t *testing.T, creed creed, sum *chaosTally) *chaos {
	t.Helper()
	c := &chaos{t: t, creed: creed, sum: sum, control: filepath.Join(t.TempDir(), "control")}
	c.airs = airstest.New(t, airstest.Config{})
	c.house = newHouse(t)
	clears := object("name", "clearer", "plugin", program(clearerRole), "timeout", "1s", "redact_requests", true,
		"config", object("control", c.control), "on_error", string(blockCreed))
	airs := object("name", "airs", "plugin", "panscanner", "timeout", "1s", "phases", []string{"response"}, "on_error", string(creed),
		"config", object("api_key", airstest.DefaultKey, "profile", airstest.DefaultProfile, "endpoint", c.airs.URL, "max_retries", 0))
	switch creed {
	case blockCreed:
	case allowCreed:
		clears["on_error"] = string(allowCreed)
	case fallbackCreed:
		// Answers are for AIRS; the clearer stands in for it, and judges the rest.
		airs["fallback"] = "clearer"
		clears["overrides"] = []any{object("phases", []string{"response"}, "mode", "off")}
	}
	c.relay, c.url, c.stop = startTormented(t, c.house.entries, object("scanners", []any{clears, airs}))
	return c
}

// startTormented starts a relay that serves HTTP; stop ends it.
func startTormented(t *testing.T, servers, section map[string]any) (p *relayProcess, url string, stop func()) {
	t.Helper()
	address := freeAddress(t)
	section["http"] = object("listen", address, "auth", "none", "max_sessions", 4096)
	section["naming"] = "prefix"
	p = relayCommand(t, object("mcpServers", servers, "relay", section))
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	stop = sync.OnceFunc(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(farewell):
			_ = p.cmd.Process.Kill()
			<-ended
		}
	})
	t.Cleanup(stop)
	awaitAddress(t, address)
	url = "http://" + address + "/mcp"
	w := newHTTPWire(url)
	defer w.close()
	c := newMCPClient(w, false)
	if err := c.handshake(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	tools, err := c.tools(t.Context())
	for late := time.Now().Add(farewell); err == nil && len(tools) < len(servers) && time.Now().Before(late); { // on a busy machine
		time.Sleep(100 * time.Millisecond)
		tools, err = c.tools(t.Context())
	}
	if err != nil || len(tools) != len(servers) {
		t.Fatalf("%d tools of %d: %v\n%s", len(tools), len(servers), err, p.stderr)
	}
	w.leave()
	return p, url, stop
}

// rage has clients call until stop, and torments the scanners meanwhile.
func (c *chaos) rage(stop <-chan struct{}) {
	var wg sync.WaitGroup
	for i := range chaosClients {
		wg.Go(func() {
			l := newLoad(c.t, c.url, c.house, i%2 == 1, c.wrong)
			l.of = string(c.creed)
			defer l.leave()
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(chaosPause):
				}
				pill := ""
				if n%50 == 49 { // seldom: each costs its server points
					pill = pills[rand.IntN(len(pills))]
				}
				l.call(fmt.Sprintf("s%d", rand.IntN(len(c.house.entries))), pill, c.sum)
			}
		})
	}
	wg.Go(func() { c.torment(stop) })
	wg.Wait()
	_ = os.Remove(c.control)
}

// torment does something to a scanner every now and then.
func (c *chaos) torment(stop <-chan struct{}) {
	names := []string{program(clearerRole), "__scanner\x00panscanner"}
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(300+rand.IntN(1200)) * time.Millisecond):
		}
		victims := c.processes(names[rand.IntN(len(names))])
		switch what := rand.IntN(6); {
		case what < 2 && len(victims) > 0:
			if syscall.Kill(victims[rand.IntN(len(victims))], syscall.SIGKILL) == nil {
				c.sum.did("kills")
			}
		case what == 2 && len(victims) > 0:
			victim := victims[0]
			if syscall.Kill(victim, syscall.SIGSTOP) == nil {
				c.sum.did("stops")
				time.AfterFunc(time.Duration(200+rand.IntN(2500))*time.Millisecond, func() { _ = syscall.Kill(victim, syscall.SIGCONT) })
			}
		case what == 3:
			c.curse(controlSlow, time.Second)
		case what == 4:
			c.curse(controlCorrupt, 200*time.Millisecond)
		default:
			faults := []string{"status=500", "hang", "reset", "cut", "truncated", "html=502", "slow=2s", "rate=nested", "status=401"}
			fault := faults[rand.IntN(len(faults))]
			for range 1 + rand.IntN(20) {
				_ = c.airs.Queue(fault)
			}
			c.sum.did("faults of AIRS")
		}
	}
}

// curse has the clearer misbehave for a while.
func (c *chaos) curse(how string, long time.Duration) {
	if os.WriteFile(c.control, []byte(how), 0o600) == nil {
		c.sum.did("spells of being " + how)
		time.AfterFunc(long, func() { _ = os.Remove(c.control) })
	}
}

// processes returns those of the relay whose command line holds a text.
func (c *chaos) processes(text string) (out []int) {
	for _, pid := range descendants(c.relay.cmd.Process.Pid) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.Contains(string(line), text) {
			out = append(out, pid)
		}
	}
	return out
}

// wrong says why a mark, or a pill, should not have arrived; empty: it may.
func (c *chaos) wrong(mark string) string {
	switch {
	case c.creed == allowCreed:
		return "" // it is let through while the scanner is out; the record says whether it was
	case c.creed == blockCreed:
		return "it was judged by nobody"
	case strings.HasPrefix(mark, "PILL"):
		return "" // to AIRS it is a word
	case c.sum.seenByAIRS(c.airs, mark):
		return ""
	default:
		return "neither AIRS nor its fallback judged it"
	}
}

func (c *chaos) census() census {
	s := &soak{t: c.t, relay: c.relay}
	return s.census()
}

// settle waits for the relay to come to rest, looks at what is left, and ends it.
func (c *chaos) settle(before census) {
	for _, f := range c.house.servers {
		if f.web != nil {
			f.web.Config.SetKeepAlivesEnabled(false)
		}
	}
	var after census
	for end := time.Now().Add(settled); ; time.Sleep(200 * time.Millisecond) {
		after = c.census()
		if after.processes <= before.processes && after.descriptors <= before.descriptors+4 || time.Now().After(end) {
			break
		}
	}
	if after.processes > before.processes || after.descriptors > before.descriptors+4 {
		c.t.Errorf("%s: something is left: %s were %s", c.creed, after.names, before.names)
	}
	c.sum.rested(c.t, c.creed, before, after)
	c.records()
	if leaked := c.house.leaked.Load(); leaked > 0 && c.creed != allowCreed {
		c.t.Errorf("%s: %d requests reached a server unjudged", c.creed, leaked)
	}
	s := &soak{t: c.t, relay: c.relay}
	said := c.relay.stderr.String()
	if c.sum.countGoroutines(c.creed) {
		s.goroutines() // which ends it
	}
	c.stop()
	if strings.Contains(said, "panic:") || strings.Contains(said, "DATA RACE") {
		c.t.Errorf("the relay said:\n%s", tail(said, 8000))
	}
}

// records looks whether the audit record says of anything that content made a
// scanner fail and that it passed.
func (c *chaos) records() {
	passed, blocked := byContent(c.t, filepath.Join(c.relay.dir, "audit.jsonl"))
	if passed > 0 {
		c.t.Errorf("%s: %d contents passed that made a scanner fail", c.creed, passed)
	}
	c.sum.add(map[string]int{"blocked because of what they did to a scanner": blocked})
}

// plus adds counts.
func plus(into, what map[string]int) {
	for k := range maps.Keys(what) {
		into[k] += what[k]
	}
}
