package relay

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/scan"
)

// Options configure a relay. Durations of zero mean no limit, unless said
// otherwise.
type Options struct {
	Version string
	Servers []Server // in configuration order

	Naming   registry.Naming
	MaxName  int
	MaxTools int
	// StartTimeout is how long after the start a list waits for servers, and how
	// long a call waits for its server whenever that is not ready.
	StartTimeout time.Duration
	// CallTimeout is how long a server may take to answer.
	CallTimeout time.Duration
	// RelistInterval is how often a server is asked again what it offers.
	RelistInterval time.Duration

	Gate  *scan.Gate
	Audit Recorder
	Log   *slog.Logger
}

// Server is one configured server.
type Server struct {
	Name   string
	Dialer Dialer
	Hidden bool
	// Twin is equal for identically configured servers; empty: there is none.
	Twin string
	// CallTimeout overrides Options.CallTimeout when it is not zero.
	CallTimeout time.Duration
}

// Relay is the relay's core. Create it with New, start it with Start and end
// it with Close.
type Relay struct {
	opts     Options
	gate     *scan.Gate
	log      *slog.Logger
	registry *registry.Registry
	servers  []*server
	byName   map[string]*server

	calls   atomic.Int64
	epoch   atomic.Int64 // changes whenever what some server offers is set
	level   atomic.Pointer[peer.Cleared]
	tasks   taskTable
	started time.Time
	overdue *time.Timer // rings when lists wait no longer

	mu      sync.Mutex
	clients map[*Client]struct{}

	changes changes // of the state of servers

	cancel  context.CancelFunc
	upkeep  sync.WaitGroup
	closing atomic.Bool
}

// New returns a relay that is not started.
func New(opts Options) *Relay {
	r := &Relay{opts: opts, gate: opts.Gate, log: opts.Log, byName: map[string]*server{}, clients: map[*Client]struct{}{}}
	order := make([]string, 0, len(opts.Servers))
	twins := map[string]string{}
	for _, c := range opts.Servers {
		order = append(order, c.Name)
		twins[c.Name] = c.Twin
	}
	r.registry = registry.New(registry.Options{Naming: opts.Naming, MaxName: opts.MaxName, MaxTools: opts.MaxTools}, order, twins)
	for _, c := range opts.Servers {
		s := newServer(r, c)
		r.servers = append(r.servers, s)
		r.byName[c.Name] = s
	}
	return r
}

// Start connects to all servers in the background. They are kept up until ctx
// ends or Close is called.
func (r *Relay) Start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(ctx)
	r.started = time.Now()
	r.overdue = time.AfterFunc(r.opts.StartTimeout, r.changes.announce)
	for _, s := range r.servers {
		r.upkeep.Go(func() { s.keepUp(ctx) })
	}
}

// Registry returns what the relay offers.
func (r *Relay) Registry() *registry.Registry { return r.registry }

// Close ends every connection and waits until the servers are gone.
func (r *Relay) Close() {
	r.closing.Store(true)
	if r.cancel != nil {
		r.cancel()
		r.overdue.Stop()
	}
	r.upkeep.Wait()
	r.gate.Close()
}

// author is short for a message that the relay itself writes.
func (r *Relay) author(part peer.Part, method string, body []byte) peer.Cleared {
	return r.gate.Author(part, method, body)
}

// nextCall returns the relay's id of a new exchange. It is also the progress
// token that the server sees, as a number.
func (r *Relay) nextCall() int64 { return r.calls.Add(1) }

func callName(n int64) string { return "c" + strconv.FormatInt(n, 10) }

// install sets what a server offers of a kind, and reports whether clients see
// a change.
func (r *Relay) install(server string, k registry.Kind, items []registry.Item) bool {
	changed := r.registry.Install(server, k, registry.Listing{Items: items})
	r.epoch.Add(1)
	return changed
}

// broadcast sends a notification to every client that has said something: a
// client takes what comes before the answer to its handshake for that answer.
func (r *Relay) broadcast(c peer.Cleared) {
	r.mu.Lock()
	clients := make([]*Client, 0, len(r.clients))
	for cl := range r.clients {
		if cl.spoken.Load() {
			clients = append(clients, cl)
		}
	}
	r.mu.Unlock()
	for _, cl := range clients {
		if err := cl.session.Notify(c); err != nil {
			r.log.Debug("a notification did not reach its client", slog.Any("error", err))
		}
	}
}

// listChanged tells every client that it has to ask again.
func (r *Relay) listChanged(kinds []registry.Kind) {
	told := map[string]bool{}
	for _, k := range kinds {
		method := changedMethod[k]
		if !told[method] {
			told[method] = true
			r.broadcast(r.author(peer.Params, method, nil))
		}
	}
}
