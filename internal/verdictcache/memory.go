package verdictcache

import (
	"container/list"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// memory keeps verdicts within a number of bytes. It is safe for concurrent use.
type memory struct {
	limit int
	ttl   time.Duration

	mu      sync.Mutex
	entries map[Sum]*list.Element
	servers map[string]*share
	used    int
}

// share is what belongs to one server, the least recently used last.
type share struct {
	order *list.List
	used  int
}

type entry struct {
	key     Sum
	server  string
	verdict verdict.Verdict
	size    int
	expires time.Time
}

func newMemory(limit int, ttl time.Duration) *memory {
	return &memory{limit: limit, ttl: ttl, entries: map[Sum]*list.Element{}, servers: map[string]*share{}}
}

func (m *memory) get(key Sum) (verdict.Verdict, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.entries[key]
	if !ok {
		return verdict.Verdict{}, false
	}
	e, _ := at.Value.(*entry)
	if !time.Now().Before(e.expires) {
		m.remove(at)
		return verdict.Verdict{}, false
	}
	m.servers[e.server].order.MoveToFront(at)
	return e.verdict, true
}

func (m *memory) put(key Sum, server string, v verdict.Verdict, expires time.Time) {
	e := &entry{key: key, server: server, verdict: v, size: sizeOf(&v) + len(server), expires: expires}
	if e.size > m.limit/4 {
		return // one that large is not worth so many others
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.entries[key]; ok {
		m.remove(old)
	}
	s := m.servers[server]
	if s == nil {
		s = &share{order: list.New()}
		m.servers[server] = s
	}
	m.entries[key] = s.order.PushFront(e)
	s.used += e.size
	m.used += e.size
	for m.used > m.limit {
		m.remove(m.largest().order.Back())
	}
}

// largest returns the share of the server that uses most.
func (m *memory) largest() *share {
	var most *share
	for _, s := range m.servers {
		if most == nil || s.used > most.used {
			most = s
		}
	}
	return most
}

func (m *memory) remove(at *list.Element) {
	e, _ := at.Value.(*entry)
	s := m.servers[e.server]
	s.order.Remove(at)
	s.used -= e.size
	m.used -= e.size
	delete(m.entries, e.key)
	if s.order.Len() == 0 {
		delete(m.servers, e.server)
	}
}

// What an entry takes in memory, about, besides its strings.
const (
	perEntry   = 400
	perFinding = 160
	perPart    = 40
)

func sizeOf(v *verdict.Verdict) int {
	n := perEntry + len(v.Reference) + len(v.Link)
	for i := range v.Findings {
		f := &v.Findings[i]
		n += perFinding + len(f.Rule) + len(f.Category) + len(f.Message) + len(f.Location.Pointer)
		if f.Edit != nil {
			n += perPart + len(f.Edit.Text)
		}
	}
	for _, u := range v.Uninspected {
		n += perPart + len(u.Pointer) + len(u.Reason)
	}
	return n
}
