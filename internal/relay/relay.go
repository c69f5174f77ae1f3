package relay

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/bridge"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
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
	PageSize int // items in a page of a list; 0: no limit
	// StartTimeout is how long after the start a list waits for servers, and how
	// long a call waits for its server whenever that is not ready.
	StartTimeout time.Duration
	// CallTimeout is how long a server may take to answer.
	CallTimeout time.Duration
	// RelistInterval is how often a server is asked again what it offers.
	RelistInterval time.Duration
	// ParkedTTL is how long a call waits for a client that was told to come back
	// with answers; 0: 10 minutes. MaxParked is how many may wait for one
	// principal; 0: 64. Parking is what cores share for the calls of all
	// principals; nil: there is no such limit. MaxInputRounds is how often a
	// server may want input for one request; 0: 8.
	ParkedTTL      time.Duration
	MaxParked      int
	Parking        *bridge.Room
	MaxInputRounds int
	// Solo says that there is one client, which connects before servers are
	// greeted: they are told what that client can do.
	Solo bool

	Gate *scan.Gate
	// UsesInventory reports whether somebody who judges definitions takes into
	// account what other servers offer; nil: nobody does.
	UsesInventory func() bool
	// Memory sees whether definitions changed; nil: nobody does.
	Memory Memory
	Audit  Recorder
	Log    *slog.Logger
}

// Server is one configured server.
type Server struct {
	Name   string
	Dialer Dialer
	// Old dials a server of the transport of 2024-11-05 at the same address, and
	// is used when the server answers Dialer's connection like one; nil: never.
	Old    Dialer
	Speech Speech
	// Headers says that a server of the modern era gets arguments of tools in
	// HTTP headers also.
	Headers bool
	Hidden  bool
	// Overlap has calls of its tools that only read sent while they are judged.
	Overlap bool
	// MayAsk says what the server may ask of clients.
	MayAsk protocol.CapabilitySet
	// Twin is equal for identically configured servers; empty: there is none.
	Twin string
	// Revision is equal for a server that is configured as it was, but for its
	// CallTimeout: Reconfigure leaves that one alone.
	Revision string
	// CallTimeout overrides Options.CallTimeout when it is not zero.
	CallTimeout time.Duration
}

// Relay is the relay's core. Create it with New, start it with Start and end
// it with Close.
type Relay struct {
	opts     Options
	gate     *scan.Gate
	log      *slog.Logger
	repeats  *repeats // of log
	registry *registry.Registry
	sealer   *bridge.Sealer
	lot      *bridge.Lot[*exchange]
	roster   atomic.Pointer[roster]

	calls   atomic.Int64
	epoch   atomic.Int64 // changes whenever what some server offers is set
	tasks   taskTable
	hub     hub
	started time.Time
	overdue *time.Timer // rings when lists wait no longer

	// What the only client is, once it has said so.
	introduction chan struct{}
	sole         atomic.Pointer[soleClient]

	mu      sync.Mutex
	clients map[*Client]struct{}

	changes changes // of the state of servers

	ctx     context.Context //nolint:containedctx // the relay's lifetime, which that of parked calls derives from
	cancel  context.CancelFunc
	upkeep  sync.WaitGroup
	closing atomic.Bool

	lifecycle sync.Mutex // held while servers are added or removed
	running   bool       // Start was called

	// verdicts changes whenever what passed may not pass any more: others judge.
	verdicts atomic.Int64

	// What Reconfigure may change; nanoseconds.
	callTimeout, relistInterval atomic.Int64
}

// Defaults of Options.
const (
	defaultParkedTTL = 10 * time.Minute
	defaultMaxParked = 64
	defaultMaxRounds = 8
)

// New returns a relay that is not started.
func New(opts Options) *Relay {
	opts.ParkedTTL = cmp.Or(opts.ParkedTTL, defaultParkedTTL)
	opts.MaxParked = cmp.Or(opts.MaxParked, defaultMaxParked)
	opts.MaxInputRounds = cmp.Or(opts.MaxInputRounds, defaultMaxRounds)
	r := &Relay{
		opts: opts, gate: opts.Gate, log: opts.Log, repeats: newRepeats(opts.Log), sealer: bridge.NewSealer(),
		clients: map[*Client]struct{}{}, introduction: make(chan struct{}),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.lot = bridge.NewLot(bridge.LotOptions{
		PerPrincipal: opts.MaxParked, Room: opts.Parking, TTL: opts.ParkedTTL,
	}, (*exchange).forgotten)
	order, twins := placesOf(opts.Servers)
	r.registry = registry.New(registry.Options{
		Naming: opts.Naming, MaxName: opts.MaxName, MaxTools: opts.MaxTools, PageSize: opts.PageSize,
		ResultMeta: r.resultMeta(),
	}, order, twins)
	r.relistInterval.Store(int64(opts.RelistInterval))
	r.callTimeout.Store(int64(opts.CallTimeout))
	all := make([]*server, 0, len(opts.Servers))
	for i := range opts.Servers {
		all = append(all, newServer(r, &opts.Servers[i]))
	}
	r.roster.Store(newRoster(all))
	return r
}

// Start connects to all servers in the background. They are kept up until ctx
// ends or Close is called.
func (r *Relay) Start(ctx context.Context) {
	context.AfterFunc(ctx, r.cancel)
	r.started = time.Now()
	r.overdue = time.AfterFunc(r.opts.StartTimeout, r.changes.announce)
	r.lifecycle.Lock()
	defer r.lifecycle.Unlock()
	r.running = true
	for _, s := range r.servers() {
		r.maintain(s)
	}
}

// Registry returns what the relay offers.
func (r *Relay) Registry() *registry.Registry { return r.registry }

// Close ends every connection and waits until the servers are gone.
func (r *Relay) Close() {
	r.lifecycle.Lock() // no server is added from now on
	r.closing.Store(true)
	r.lifecycle.Unlock()
	r.cancel()
	if r.overdue != nil {
		r.overdue.Stop()
	}
	r.upkeep.Wait()
	r.lot.Close()
	r.repeats.close()
}

// author is short for a message that the relay itself writes.
func (r *Relay) author(part peer.Part, method string, body []byte) peer.Cleared {
	return r.gate.Author(part, method, body)
}

// cancelled says that nobody waits for the answer to a request any more.
func (r *Relay) cancelled(id jsonrpc.ID) peer.Cleared {
	params := append([]byte(`{"requestId":`), id.Raw()...)
	return r.author(peer.Params, protocol.Cancelled, append(params, '}'))
}

// nextCall returns the relay's id of a new exchange. It is also the progress
// token that the server sees, as a number.
func (r *Relay) nextCall() int64 { return r.calls.Add(1) }

func callName(n int64) string { return "c" + strconv.FormatInt(n, 10) }

// reached notes that a message did not reach its client, which may be gone.
func (r *Relay) reached(err error) {
	if err != nil {
		r.log.Debug("a message did not reach its client", slog.Any("error", err))
	}
}
