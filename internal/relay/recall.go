package relay

import (
	"context"
	"slices"

	"github.com/mcp-relay/relay/internal/registry"
)

// recall returns a judged list with the items held that the memory says have
// changed. It asks again only when somebody approved a change.
func (s *server) recall(ctx context.Context, k registry.Kind, known *judgedList, sent [][]byte) registry.Listing {
	memory := s.relay.opts.Memory
	if memory == nil {
		return known.listing
	}
	if known.doubt != nil {
		select {
		case <-known.doubt:
		default:
			return known.recalled
		}
	}
	known.doubt = memory.Changed(s.cfg.Name) // before the answer that it is about
	known.recalled = known.listing
	known.recalled.Items = slices.Clone(known.listing.Items)
	memory.Recall(ctx, s.cfg.Name, k, known.recalled.Items, sent)
	return known.recalled
}

// recallNone tells the memory that a server lists nothing of a kind.
func (s *server) recallNone(ctx context.Context, l *link, k registry.Kind) {
	memory := s.relay.opts.Memory
	if memory == nil {
		return
	}
	if known := l.judged[k]; known != nil {
		known.doubt = nil
	}
	memory.Recall(ctx, s.cfg.Name, k, nil, nil)
}

// recallInstructions asks the memory whether clients may be told what the
// server says for the model. sent is that as the server sent it.
func (s *server) recallInstructions(ctx context.Context, l *link, sent, scanID string) {
	memory := s.relay.opts.Memory
	if memory == nil {
		return
	}
	g := &l.greeting
	g.recalled, g.sent, g.scanID = true, sent, scanID
	g.held.Store(memory.RecallInstructions(ctx, s.cfg.Name, sent, scanID))
}

// recallAgain takes up what the memory says of the instructions by now. A
// client that was greeted already is not told: the protocol has no word for it.
func (s *server) recallAgain(ctx context.Context, l *link) {
	if g := &l.greeting; g.recalled && g.held.Load() {
		s.recallInstructions(ctx, l, g.sent, g.scanID)
	}
}

// doubts returns a channel that is closed when the memory may say of the server
// what it did not say before; nil when there is no memory.
func (s *server) doubts() <-chan struct{} {
	if memory := s.relay.opts.Memory; memory != nil {
		return memory.Changed(s.cfg.Name)
	}
	return nil
}
