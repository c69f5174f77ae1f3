package relay

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
)

// sink keeps the frames that a client gets.
type sink struct {
	mu     sync.Mutex
	frames []string
	abouts []string // the client's request that each frame belongs to
	deaf   bool     // it has no stream for requests
	react  func(frame string)
	prompt bool // it reacts before the frame has left
}

func (s *sink) add(of jsonrpc.ID, frame []byte, err error) error {
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.frames = append(s.frames, string(frame))
	s.abouts = append(s.abouts, of.Raw())
	react, prompt := s.react, s.prompt
	s.mu.Unlock()
	switch {
	case react == nil:
	case prompt:
		react(string(frame))
	default:
		go react(string(frame))
	}
	return nil
}

func (s *sink) Respond(id jsonrpc.ID, c peer.Cleared) error {
	frame, err := peer.AppendResponse(nil, id, c)
	return s.add(id, frame, err)
}

func (s *sink) Notify(of jsonrpc.ID, c peer.Cleared) error {
	return s.Request(jsonrpc.ID{}, of, c)
}

func (s *sink) Request(id, of jsonrpc.ID, c peer.Cleared) error {
	if s.deaf && !id.IsZero() {
		return peer.ErrNoStream
	}
	frame, err := peer.AppendRequest(nil, id, c)
	return s.add(of, frame, err)
}

func (s *sink) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	frames := s.frames
	s.frames, s.abouts = nil, nil
	return frames
}

// about returns to which requests what the client got since belongs.
func (s *sink) about() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.abouts...)
}

type rig struct {
	t      *testing.T
	relay  *Relay
	client *Client
	sink   *sink
	judge  *judge
	audit  *auditRecords
	// everything is what ask has returned so far.
	everything []string
}

type auditRecords struct {
	mu  sync.Mutex
	all []audit.Record
}

func (a *auditRecords) Write(r *audit.Record) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, *r)
	return nil
}

func (a *auditRecords) anomalies() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var words []string
	for i := range a.all {
		if a.all[i].Event == audit.Anomaly {
			words = append(words, a.all[i].Reason)
		}
	}
	return words
}

// withheld returns how many records say that something is not offered.
func (a *auditRecords) withheld() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.all {
		if a.all[i].Event == audit.Withheld {
			n++
		}
	}
	return n
}

// start runs a relay in front of servers named s0, s1, ... inside a synctest
// bubble and ends it with the test.
func start(t *testing.T, change func(*Options), servers ...*fakeServer) *rig {
	t.Helper()
	return startJudged(t, &judge{}, change, servers...)
}

// startJudged is start with a scanner of the test's own.
func startJudged(t *testing.T, j *judge, change func(*Options), servers ...*fakeServer) *rig {
	t.Helper()
	r := prepare(t, j, change, servers...)
	r.relay.Start(t.Context())
	return r
}

// prepare is startJudged without the start.
func prepare(t *testing.T, j *judge, change func(*Options), servers ...*fakeServer) *rig {
	t.Helper()
	return prepareScanned(t, j, j, change, servers...)
}

// prepareScanned is prepare with somebody around the scanner.
func prepareScanned(t *testing.T, s scan.Scanner, j *judge, change func(*Options), servers ...*fakeServer) *rig {
	t.Helper()
	r := &rig{t: t, sink: &sink{}, judge: j, audit: &auditRecords{}}
	log := slog.New(slog.DiscardHandler)
	gate := scan.New(scan.Options{
		Panel:    scan.Panel{Members: []scan.Member{{Scanner: s, Policy: scan.Policy{Name: "j"}}}},
		Recorder: r.audit, Log: log,
	})
	opts := Options{Version: "1", MaxName: 50, MaxTools: 100, StartTimeout: 10 * time.Second, CallTimeout: time.Minute, Gate: gate, Audit: r.audit, Log: log}
	for i, f := range servers {
		opts.Servers = append(opts.Servers, Server{Name: fmt.Sprintf("s%d", i), Dialer: f.dialer(), Speech: f.spoken(), MayAsk: protocol.AllCapabilities})
	}
	if change != nil {
		change(&opts)
	}
	r.relay = New(opts)
	ctx, cancel := context.WithCancel(t.Context())
	r.client = r.relay.Connect(ctx, peer.Hello{Session: "sess", Principal: "local"}, r.sink)
	t.Cleanup(func() {
		r.client.Close()
		r.relay.Close()
		gate.Close()
		cancel()
	})
	return r
}

// join connects another client, which the rig that is returned speaks for.
func (r *rig) join(h peer.Hello) *rig {
	r.t.Helper()
	other := *r
	other.sink, other.everything = &sink{}, nil
	other.client = r.relay.Connect(r.t.Context(), h, other.sink)
	r.t.Cleanup(other.client.Close)
	return &other
}

// got returns what the client got since it was last asked, once everything has
// come to rest.
func (r *rig) got() []string {
	synctest.Wait()
	return r.sink.take()
}

func (r *rig) send(frame string) {
	r.t.Helper()
	m, err := jsonrpc.Parse([]byte(frame), protocol.Message())
	if err != nil {
		r.client.Malformed(m.ID, err)
		return
	}
	r.client.Message(m)
}

// ask sends a frame, lets everything come to rest and returns what the client
// got since.
func (r *rig) ask(frame string) []string {
	r.t.Helper()
	synctest.Wait()
	r.sink.take()
	r.send(frame)
	synctest.Wait()
	got := r.sink.take()
	r.everything = append(r.everything, got...)
	return got
}

func (r *rig) want(frame string, want ...string) {
	r.t.Helper()
	got := r.ask(frame)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		r.t.Errorf("%s\n got %s\nwant %s", frame, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// wantPart checks that there is one answer and that it holds each part.
func (r *rig) wantPart(frame string, parts ...string) {
	r.t.Helper()
	got := r.ask(frame)
	if len(got) != 1 {
		r.t.Errorf("%s: got %d frames: %s", frame, len(got), got)
		return
	}
	for _, part := range parts {
		if !strings.Contains(got[0], part) {
			r.t.Errorf("%s: %s lacks %s", frame, got[0], part)
		}
	}
}
