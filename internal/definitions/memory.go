package definitions

import (
	"context"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/registry"
)

// Recorder takes records of changes.
type Recorder interface {
	Write(r *audit.Record) error
}

// Options are what a memory goes by.
type Options struct {
	Policy  Policy
	Servers []Server
	// Store keeps what is remembered; nil: nothing outlives the process, and as
	// nobody knows what servers offered before, all that they offer is new.
	Store *Store
	Audit Recorder
	Log   *slog.Logger
}

// Server is one configured server.
type Server struct {
	Name string
	// Identity is a hash of what is started or called. Another one makes it
	// another server, which is trusted as if it had never been seen.
	Identity string
	// Hidden servers are not scanned, because the configuration says so. Their
	// changes are flagged at most.
	Hidden bool
}

// Memory compares what servers offer with what they offered before. It is safe
// for concurrent use; the cores of a process share one. Close it when they are
// closed.
type Memory struct {
	store  *Store
	audit  Recorder
	log    *slog.Logger
	policy atomic.Pointer[Policy]
	closed atomic.Bool

	mu      sync.Mutex
	servers map[string]*server
}

// New returns a memory.
func New(o Options) *Memory {
	m := &Memory{store: o.Store, audit: o.Audit, log: o.Log, servers: map[string]*server{}}
	m.policy.Store(&o.Policy)
	m.SetServers(o.Servers)
	return m
}

// server is what a process knows of one server.
type server struct {
	Server

	config string // path

	// news wakes those who asked about the server.
	newsMu sync.Mutex
	news   chan struct{}

	mu     sync.Mutex // of what follows; held while the record is read and written
	rec    *record    // nil: to be read
	file   fs.FileInfo
	known  bool // there was a record already, read or made by this process
	frozen bool // the record may not be written
	// offered has the hash of the form that this process let clients see last.
	offered   map[itemKey]string
	told      map[itemKey]string // hashes of held forms that were reported
	empty     map[Kind]bool      // nothing was listed when it was asked last
	held      map[Kind]int
	last      map[Kind]answer
	approvals int
	trouble   string // with the store, as it was reported last
	look      *time.Timer
	rest      *time.Timer
}

// SetServers replaces the servers, when the configuration changes.
func (m *Memory) SetServers(servers []Server) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var replaced []*server
	for _, s := range servers {
		if known := m.servers[s.Name]; known != nil && known.Server == s {
			continue
		}
		made := &server{
			Server: s, news: make(chan struct{}), offered: map[itemKey]string{}, told: map[itemKey]string{},
			empty: map[Kind]bool{}, held: map[Kind]int{}, last: map[Kind]answer{},
		}
		if m.store != nil {
			made.config = m.store.config
		}
		if old := m.servers[s.Name]; old != nil {
			old.stop()
			replaced = append(replaced, old)
		}
		m.servers[s.Name] = made
	}
	for _, old := range replaced {
		old.wake()
	}
}

// stop ends what is done for a server by itself.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.held)
	for _, timer := range []*time.Timer{s.look, s.rest} {
		if timer != nil {
			timer.Stop()
		}
	}
}

// SetPolicy replaces the policy, when the configuration changes. What is held or
// offered is decided anew.
func (m *Memory) SetPolicy(p Policy) {
	if old := m.policy.Swap(&p); *old == p {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.servers {
		s.wake()
	}
}

// Close ends what the memory does by itself.
func (m *Memory) Close() {
	m.closed.Store(true)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.servers {
		s.stop()
	}
}

func (m *Memory) server(name string) *server {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.servers[name]
}

// Recall compares a list of a server with what is remembered, and remembers it.
// items that are not to be offered become Held, with a reason, and those that are
// offered although nobody approved them become Changed; sent are the same
// definitions as the server sent them.
func (m *Memory) Recall(ctx context.Context, name string, k registry.Kind, items []registry.Item, sent [][]byte) {
	s := m.server(name)
	if s == nil {
		return
	}
	mark := marked(items, sent)
	out, same := m.again(s, kindOf(k), mark)
	if !same {
		out = m.compare(ctx, s, k, items, sent, mark)
	}
	for at, reason := range out.held {
		items[at].State, items[at].Reason = registry.Held, reason
	}
	for at := range out.flagged {
		items[at].Changed = true
	}
}

// compare has a list compared with the record.
func (m *Memory) compare(
	ctx context.Context, s *server, k registry.Kind, items []registry.Item, sent [][]byte, mark digest,
) answer {
	list := make([]sighting, 0, len(items))
	for i := range items {
		it := &items[i]
		x := sighting{at: i, name: it.Name, scanID: it.ScanID, offered: it.State == registry.Offered || it.State == registry.Hidden}
		if i < len(sent) {
			if x.offered {
				x.text = canonical(k, sent[i])
			} else {
				x.name = registry.NewItem(k, sent[i]).Name // it may have been redacted
			}
		} else if x.offered {
			x.text = canonical(k, it.Raw)
		}
		x.hash = hashOf(x.text)
		list = append(list, x)
	}
	return m.sight(ctx, s, kindOf(k), list, mark)
}

// RecallInstructions does the same with what a server says for the model; empty:
// it says nothing.
func (m *Memory) RecallInstructions(ctx context.Context, name, instructions, scanID string) (held bool) {
	s := m.server(name)
	if s == nil {
		return false
	}
	var list []sighting
	if instructions != "" {
		text := string(jsonrpc.AppendString(nil, instructions))
		list = []sighting{{text: text, hash: hashOf(text), scanID: scanID, offered: true}}
	}
	return len(m.sight(ctx, s, Instructions, list, digest{}).held) > 0
}

// Changed returns a channel that is closed when Recall may answer otherwise
// about a server: when somebody approved a change, or changed the policy.
func (m *Memory) Changed(name string) <-chan struct{} {
	s := m.server(name)
	if s == nil {
		return nil
	}
	s.newsMu.Lock()
	defer s.newsMu.Unlock()
	return s.news
}

// wake tells those who asked that the answers may be others now.
func (s *server) wake() {
	s.newsMu.Lock()
	defer s.newsMu.Unlock()
	close(s.news)
	s.news = make(chan struct{})
}
