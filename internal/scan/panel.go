package scan

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Panel is who judges, and by which policy: all of a gate that a new
// configuration replaces.
type Panel struct {
	Members []Member
	Rules   []Rule
	// AllowUnscanned names the phases that may pass although no enforcing
	// scanner covers them.
	AllowUnscanned []verdict.Phase
	// Budget bounds how long all scanners together may take over one message,
	// with later stages and fallbacks. 0: only their own limits do.
	Budget time.Duration
	// Uninspected is the policy where a scanner's terms have none.
	Uninspected Uninspected
	Exceptions  []Exception
}

// panel is a Panel in use.
type panel struct {
	Panel

	unscanned [verdict.Notification + 1]bool
	members   map[string]*Member

	mu     sync.Mutex                         // of who adds to seated
	seated atomic.Pointer[map[place]*seating] // replaced, never changed

	users atomic.Int64
	once  sync.Once
	idle  chan struct{} // closed when it was replaced and nobody uses it
}

// place is what most policies depend on.
type place struct {
	server string
	phase  verdict.Phase
}

func newPanel(of Panel) *panel {
	p := &panel{Panel: of, members: map[string]*Member{}, idle: make(chan struct{})}
	for _, phase := range of.AllowUnscanned {
		p.unscanned[phase] = true
	}
	for i := range of.Members {
		p.members[of.Members[i].Name] = &of.Members[i]
	}
	p.seated.Store(&map[place]*seating{})
	return p
}

// replaced is what is added to users when a panel was replaced.
const replaced = math.MinInt64 / 2

// enter counts a user in. It reports false when the panel was replaced.
func (p *panel) enter() bool {
	if p.users.Add(1) > 0 {
		return true
	}
	p.leave()
	return false
}

// join counts in another user beside one that is in.
func (p *panel) join() { p.users.Add(1) }

// leave counts a user out.
func (p *panel) leave() {
	if p.users.Add(-1) == replaced {
		p.once.Do(func() { close(p.idle) })
	}
}

// retire lets nobody enter any more.
func (p *panel) retire() {
	if p.users.Add(replaced) == replaced {
		p.once.Do(func() { close(p.idle) })
	}
}
