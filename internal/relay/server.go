package relay

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/registry"
)

// server keeps one configured server up: it connects, lists, judges, and does
// so again when the server changes or dies.
type server struct {
	relay *Relay
	cfg   Server

	current atomic.Pointer[link]
	settled atomic.Bool // it was listed or has failed once
	failed  atomic.Bool // the last attempt to connect failed
	lane    lane        // notifications that belong to no call, in order
	outLane lane        // notifications of clients, in order

	elicitations elicitations

	calls     atomic.Int32 // calls that were sent and not answered
	deadlines deadlines    // of calls

	tools atomic.Pointer[[]string] // that it listed last, by name; nil: it never did

	herald herald // has what belongs to no call judged
	old    bool   // it speaks the transport of 2024-11-05; only keepUp uses it
	speech Speech // what is known of its era; only keepUp uses it

	ctx      context.Context //nolint:containedctx // the time for which the server is configured, and a while longer
	cancel   context.CancelFunc
	left     atomic.Bool   // it is configured no more; set under mu
	offering sync.Mutex    // held while what it offers is set
	idle     chan struct{} // woken by the last answer
	retime   chan struct{} // woken when the interval between listings changed

	mu     sync.Mutex
	open   map[int64]*exchange // calls that were sent and not answered, by number
	status Status
}

// Status is a server's state as commands show it.
type Status struct {
	Server string
	Ready  bool
	Hidden bool
	// Error says why the server is not ready; the relay's own words, with
	// foreign text escaped by whoever prints it.
	Error string
	// Revision is the revision of MCP that a server which is ready speaks.
	Revision string
}

func newServer(r *Relay, cfg *Server) *server {
	s := &server{
		relay: r, cfg: *cfg, speech: cfg.Speech, open: map[int64]*exchange{},
		status:    Status{Server: cfg.Name, Hidden: cfg.Hidden, Error: "starting"},
		deadlines: deadlines{expire: func(x *exchange) { x.abandon(errTimeout) }},
		idle:      make(chan struct{}, 1), retime: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(r.ctx)
	s.deadlines.limit.Store(cmp.Or(int64(cfg.CallTimeout), r.callTimeout.Load()))
	s.herald.gate, s.herald.lane = r.gate, &s.lane
	return s
}

// ready returns the connection when the server can take calls: it is connected
// and everything that it offers was judged.
func (s *server) ready() *link {
	l := s.current.Load()
	if l == nil || l.stale.Load() > 0 || s.left.Load() {
		return nil
	}
	return l
}

func (s *server) failing() bool { return s.failed.Load() }

// Bounds of the pause between two attempts to connect.
const (
	minPause = 500 * time.Millisecond
	maxPause = 2 * time.Minute
	// A connection that lasted this long was a good one.
	goodAfter = time.Minute
	// closeGrace is how long a server may take to end by itself.
	closeGrace = time.Second
)

// keepUp connects again and again until ctx ends.
func (s *server) keepUp(ctx context.Context) {
	pause := minPause
	for ctx.Err() == nil {
		start := time.Now()
		err := s.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(start) >= goodAfter {
			pause = minPause
		}
		s.relay.log.Warn("a server is not available; connecting again",
			slog.String("server", s.cfg.Name), slog.Any("error", err), slog.Duration("pause", pause))
		select {
		case <-time.After(rand.N(pause) + pause/2): //nolint:gosec // jitter needs no secret randomness
		case <-ctx.Done():
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// serve is the life of one connection.
func (s *server) serve(ctx context.Context) error {
	l, err := s.connect(ctx)
	if err != nil {
		s.gone(err)
		return err
	}
	defer l.close()
	if err = s.relistAll(ctx, l); err == nil {
		err = s.judgeGreeting(ctx, l)
	}
	if err != nil {
		err = lastWords(l.conn, err)
		s.gone(err)
		return err
	}
	s.up(l)
	err = lastWords(l.conn, s.watch(ctx, l))
	s.current.Store(nil)
	s.setStatus(false, err)
	s.relay.changes.announce()
	return err
}

// up lets calls through.
func (s *server) up(l *link) {
	s.current.Store(l)
	s.failed.Store(false)
	s.settled.Store(true)
	s.setStatus(true, nil)
	s.relay.changes.announce()
	s.tellLevel(l)
	s.resubscribe(l)
	if l.modern() {
		s.relay.upkeep.Go(func() { s.keepListening(s.ctx, l) })
	}
}

// gone takes what the server offered away: it could not be connected.
func (s *server) gone(err error) {
	s.failed.Store(true)
	s.setStatus(false, err)
	changed := s.offerNothing()
	late := s.settled.Swap(true)
	s.relay.changes.announce()
	if late {
		s.relay.listChanged(changed)
	}
}

// relistPause is the least time between two listings of one server, however
// often it announces changes.
const relistPause = time.Second

// watch asks the server again when it announces a change or the interval has
// passed, until the connection ends.
func (s *server) watch(ctx context.Context, l *link) error {
	every := s.relay.interval()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.conn.Done():
			return l.conn.Err()
		case <-l.relist:
		case <-l.doubt:
		case <-ticker.C:
		case <-s.retime:
			if now := s.relay.interval(); now != every {
				every = now
				ticker.Reset(every)
			}
			if l.verdicts == s.relay.verdicts.Load() {
				continue
			}
		}
		err := s.relistAll(ctx, l)
		if err == nil {
			err = s.judgeGreetingAgain(ctx, l)
		}
		switch {
		case err == nil:
			s.recallAgain(ctx, l)
			s.setStatus(true, nil)
		case errors.Is(err, errTimeout) && s.calls.Load() > 0:
			// A server that does one thing at a time lists nothing during a long
			// call, and the call must not pay for it.
			s.relay.log.Warn("a server that is busy with a call does not list what it offers; asking again",
				slog.String("server", s.cfg.Name))
			l.again()
		default:
			return err
		}
		s.relay.changes.announce()
		select {
		case <-time.After(relistPause):
		case <-ctx.Done():
		case <-l.conn.Done():
		}
	}
}

// relistAll asks for every catalogue and has it judged. Clients learn of it
// when what they see changed.
func (s *server) relistAll(ctx context.Context, l *link) error {
	announced, verdicts := l.stale.Load(), s.relay.verdicts.Load()
	l.doubt = s.doubts()
	// Clients are told also when they would see no difference: the server may
	// mean more than it lists.
	changed := l.takeAnnounced()
	for _, k := range registry.Kinds {
		var listing registry.Listing // none, also of a kind that an earlier connection had
		if l.capable(k.Capability()) {
			var err error
			if listing, err = s.catalogue(ctx, l, k); err != nil {
				return err
			}
		} else {
			s.lists(k, nil)
			s.recallNone(ctx, l, k)
		}
		if k == registry.Tools {
			s.mirror(l, &listing)
		}
		if s.install(k, listing) {
			changed = append(changed, k)
		}
	}
	l.stale.Add(-announced)
	l.verdicts = verdicts
	if s.settled.Load() || !s.relay.starting() {
		s.relay.listChanged(changed)
	}
	return nil
}

func (s *server) setStatus(ready bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Ready, s.status.Error = ready, ""
	if err != nil {
		s.status.Error = err.Error()
	}
}

// Status returns the state of every server, in configuration order.
func (r *Relay) Status() []Status {
	all := make([]Status, 0, len(r.servers()))
	for _, s := range r.servers() {
		s.mu.Lock()
		status := s.status
		s.mu.Unlock()
		if l := s.current.Load(); l != nil {
			status.Revision = l.version()
		}
		all = append(all, status)
	}
	return all
}
