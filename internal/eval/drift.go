package eval

import (
	"context"
	"log/slog"
	"sync"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/definitions"
	"github.com/mcp-relay/relay/internal/registry"
	"github.com/mcp-relay/relay/internal/verdict"
)

// driftRule names what the memory of definitions finds.
const driftRule = "relay/definition-changed"

// drift returns what the relay's memory makes of an item that is a change: it is
// shown what the definition was, then what it is.
func drift(ctx context.Context, policy definitions.Policy, it *Item) (Opinion, bool) {
	previous, current, ok := it.change()
	if !ok {
		return Opinion{}, false
	}
	kept := &changes{}
	memory := definitions.New(definitions.Options{
		Policy: policy, Servers: []definitions.Server{{Name: it.server()}}, Audit: kept, Log: slog.New(slog.DiscardHandler),
	})
	defer memory.Close()
	recall := func(raw []byte) registry.State {
		items := []registry.Item{registry.NewItem(registry.Tools, raw)}
		items[0].State = registry.Offered
		memory.Recall(ctx, it.server(), registry.Tools, items, [][]byte{raw})
		return items[0].State
	}
	recall(previous)
	kept.forget()
	o := Opinion{Scanner: Own, Action: verdict.Allow, Judged: true, Size: len(current)}
	held := recall(current) == registry.Held
	for _, r := range kept.all {
		f := verdict.Finding{Rule: driftRule, Category: "rug_pull", Severity: verdict.Medium, Message: r.Reason}
		o.Action, o.Findings = verdict.Flag, append(o.Findings, f)
	}
	if held {
		o.Action = verdict.Block
	}
	return o, true
}

// changes keeps records of changes.
type changes struct {
	mu  sync.Mutex
	all []audit.Record
}

// Write keeps a record.
func (c *changes) Write(r *audit.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Event == audit.Drift {
		c.all = append(c.all, *r)
	}
	return nil
}

func (c *changes) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = nil
}
