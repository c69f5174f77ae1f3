package relay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Bounds of what one server may list.
const (
	maxPages          = 200
	maxCatalogueBytes = 64 << 20
	maxItems          = 100_000
	listTimeout       = time.Minute
	// A catalogue is judged in parts of this size, so that a long one is not
	// refused for its length.
	partBytes = 4 << 20
)

var (
	errListing   = errors.New("the server did not answer a list request as the protocol says")
	errTooMany   = errors.New("the server lists without end")
	errUnscanned = errors.New("what the server offers could not be inspected")
)

// catalogue asks a server for everything of a kind and has it judged.
func (s *server) catalogue(ctx context.Context, l *link, k registry.Kind) (registry.Listing, error) {
	none := registry.Listing{Headers: s.cfg.Headers && l.modern()}
	raw, ttl, err := s.fetch(ctx, l, k)
	if errors.Is(err, errListing) || errors.Is(err, errTooMany) {
		// A server that lists one kind badly may be good for the others.
		s.relay.repeats.write(slog.LevelWarn, "nothing of a kind is offered", s.cfg.Name, err.Error(), slog.String("kind", k.String()))
		s.lists(k, nil)
		s.recallNone(ctx, l, k)
		return none, nil
	}
	if err != nil {
		return none, err
	}
	s.lists(k, raw)
	// The same bytes from the same connection have their verdict already: a
	// server that announces changes without making any costs no scan, and
	// nothing vanishes while a scanner is away. Not when others judge by now.
	digest, verdicts := digestOf(raw), s.relay.verdicts.Load()
	if known := l.judged[k]; known != nil && known.digest == digest && known.verdicts == verdicts {
		return s.recall(ctx, k, known, raw), nil
	}
	items := make([]registry.Item, 0, len(raw))
	var others []verdict.Offered
	if len(raw) > 0 {
		others = s.inventory(ctx, l)
	}
	for part := range parts(raw) {
		judged, err := s.judge(ctx, l, k, part, others)
		if err != nil {
			return none, err
		}
		items = append(items, judged...)
	}
	for i := range items {
		if items[i].State == registry.Failed || items[i].State == registry.Blocked {
			s.withheld(k, &items[i])
		}
	}
	listing := registry.Listing{Items: items, TTL: ttl, HasTTL: l.modern(), Headers: none.Headers}
	l.judged[k] = &judgedList{digest: digest, verdicts: verdicts, listing: listing}
	return s.recall(ctx, k, l.judged[k], raw), nil
}

// judgedList is a list with its verdict, and with what the memory says of it.
type judgedList struct {
	digest   [sha256.Size]byte
	verdicts int64            // of the relay, when it was judged
	listing  registry.Listing // by the verdict alone
	recalled registry.Listing
	doubt    <-chan struct{} // closed when recalled may be out of date; nil: there is none
}

// digestOf returns a digest of a list, by which the same list is known again.
func digestOf(raw [][]byte) [sha256.Size]byte {
	h := sha256.New()
	for _, item := range raw {
		// No raw JSON holds a NUL, so the items cannot run into each other.
		h.Write(item)
		h.Write([]byte{0})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// fetch reads all pages of a list, and for how long the server says that they
// may be kept.
func (s *server) fetch(ctx context.Context, l *link, k registry.Kind) (items [][]byte, ttl time.Duration, err error) {
	params := l.ownParams(nil)
	var last []byte
	size := 0
	for range maxPages {
		pageCtx, cancel := context.WithTimeoutCause(ctx, listTimeout, errTimeout)
		reply, err := l.call(pageCtx, k.Method(), params)
		cancel()
		switch {
		case errors.Is(err, peer.ErrBadAnswer), errors.Is(err, peer.ErrTooLong):
			return nil, 0, errListing
		case err != nil:
			return nil, 0, fmt.Errorf("listing the server's %ss: %w", k, err)
		case reply.Error != nil && methodNotFound(reply.Error):
			return nil, 0, nil
		case reply.Error != nil || len(reply.Result) == 0 || reply.Result[0] != '{':
			return nil, 0, errListing
		}
		list, ok := jsonrpc.Member(reply.Result, k.Member())
		if !ok || len(list) == 0 || list[0] != '[' {
			return nil, 0, errListing
		}
		if t := protocol.TTL(reply.Result); items == nil || t < ttl {
			ttl = t
		}
		for item := range jsonrpc.Elements(list) {
			// What is judged is what is offered: unsafe icons go before either.
			if items = append(items, protocol.SafeIcons(item)); len(items) > maxItems {
				return nil, 0, errTooMany
			}
		}
		if size += len(list); size > maxCatalogueBytes {
			return nil, 0, errTooMany
		}
		cursor, more := jsonrpc.Member(reply.Result, "nextCursor")
		if !more || string(cursor) == "null" {
			return items, ttl, nil
		}
		if bytes.Equal(cursor, last) {
			return nil, 0, errTooMany
		}
		// The cursor goes back to the server that made it and to nobody else.
		last = cursor
		params = l.ownParams(jsonrpc.SetMember([]byte("{}"), "cursor", cursor))
	}
	return nil, 0, errTooMany
}

// parts cuts a catalogue into lists that are judged at once.
func parts(raw [][]byte) func(yield func([][]byte) bool) {
	return func(yield func([][]byte) bool) {
		for start := 0; start < len(raw); {
			end, size := start, 0
			for end < len(raw) && (end == start || size+len(raw[end]) <= partBytes) {
				size += len(raw[end])
				end++
			}
			if !yield(raw[start:end]) {
				return
			}
			start = end
		}
	}
}

// judge has one part of a catalogue judged. When there is no verdict it tries
// again until ctx ends or the connection does: nothing is offered before.
func (s *server) judge(ctx context.Context, l *link, k registry.Kind, raw [][]byte, others []verdict.Offered) ([]registry.Item, error) {
	body := append([]byte(`{"`+k.Member()+`":[`), bytes.Join(raw, []byte(","))...)
	body = append(body, "]}"...)
	subject := &scan.Subject{
		Part: peer.Result, Hidden: s.cfg.Hidden, Catalogue: k.Member(),
		Content: verdict.Content{
			Phase: verdict.Definition, Kind: verdict.JSON, Data: body,
			Origin:    verdict.Origin{Server: s.cfg.Name, Method: k.Method(), ProtocolVersion: l.version()},
			Inventory: others,
		},
	}
	d, err := s.insist(ctx, l, subject, func(scanID string) { s.hold(k, raw, scanID) })
	switch {
	case err != nil:
		return nil, err
	case d.Outcome == scan.Passed:
		return s.items(k, raw, d), nil
	default:
		return allBlocked(k, raw, d.ScanID), nil
	}
}

// insist has a definition judged until there is a verdict, ctx ends or the
// connection does. hold is called after each attempt that gave none.
func (s *server) insist(ctx context.Context, l *link, subject *scan.Subject, hold func(scanID string)) (*scan.Decision, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		d := s.await(ctx, subject)
		if d.Outcome == scan.Passed || d.Outcome == scan.Blocked {
			return &d, nil
		}
		hold(d.ScanID)
		select {
		case <-time.After(pause):
		case <-l.conn.Done():
			return nil, l.conn.Err()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// hold shows, to the person who runs the relay, what waits for a verdict.
func (s *server) hold(k registry.Kind, raw [][]byte, scanID string) {
	items := make([]registry.Item, 0, len(raw))
	for _, r := range raw {
		it := registry.NewItem(k, r)
		it.Reason, it.ScanID = "no verdict yet: a scanner is not available", scanID
		items = append(items, it)
	}
	changed := s.install(k, registry.Listing{Items: items})
	if s.unscanned() && changed {
		s.relay.listChanged([]registry.Kind{k})
	}
}

// unscanned notes that the server waits for a verdict, so that others do not
// wait for the server. It reports whether clients may have listed already.
func (s *server) unscanned() (late bool) {
	s.setStatus(false, errUnscanned)
	late = s.settled.Swap(true)
	s.relay.changes.announce()
	return late
}

func (s *server) await(ctx context.Context, subject *scan.Subject) scan.Decision {
	decided := make(chan scan.Decision, 1)
	s.relay.gate.Judge(ctx, subject, func(d scan.Decision) { decided <- d })
	return <-decided
}

// items makes the items of what passed the gate. raw is what the server sent;
// the decision may hold a redacted form of it.
func (s *server) items(k registry.Kind, raw [][]byte, d *scan.Decision) []registry.Item {
	list, _ := jsonrpc.Member(d.Cleared.Body(), k.Member())
	items := make([]registry.Item, 0, len(raw))
	withheld := d.Withheld
	for element := range jsonrpc.Elements(list) {
		i := len(items)
		it := registry.NewItem(k, element)
		it.ScanID = d.ScanID
		switch {
		case len(withheld) > 0 && withheld[0] == i:
			withheld = withheld[1:]
			it.State, it.Reason = registry.Blocked, "a scanner blocked it"
		case it.State == registry.Failed:
		case i >= len(raw) || registry.NewItem(k, raw[i]).Name != it.Name:
			// A name is what a call is routed by; a redacted one leads nowhere.
			it.State, it.Reason = registry.Blocked, "a scanner redacted its name"
		case s.cfg.Hidden:
			it.State, it.Reason = registry.Hidden, "hidden_mode: not scanned"
		default:
			it.State = registry.Offered
		}
		items = append(items, it)
	}
	return items
}

func allBlocked(k registry.Kind, raw [][]byte, scanID string) []registry.Item {
	items := make([]registry.Item, 0, len(raw))
	for _, r := range raw {
		it := registry.NewItem(k, r)
		it.State, it.Reason, it.ScanID = registry.Blocked, "a scanner blocked the server's whole catalogue", scanID
		items = append(items, it)
	}
	return items
}

// withheld says in the log and the audit record what is not offered.
func (s *server) withheld(k registry.Kind, it *registry.Item) {
	s.relay.repeats.write(slog.LevelWarn, "not offered", s.cfg.Name, it.Reason,
		slog.String("kind", k.String()), slog.String("target", it.Name), slog.String("scan_id", it.ScanID))
	s.relay.record(&audit.Record{
		Event: audit.Withheld, Server: s.cfg.Name, Target: it.Name, Method: k.Method(),
		Phase: verdict.Definition, ScanID: it.ScanID, Reason: it.Reason,
	})
}

// record writes a record that decides nothing.
func (r *Relay) record(rec *audit.Record) {
	if err := r.opts.Audit.Write(rec); err != nil {
		r.log.Error("the audit record cannot be written", slog.Any("error", err))
	}
}
