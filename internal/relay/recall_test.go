package relay

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcp-relay/relay/internal/registry"
)

// memory is a Memory that holds what has a name, and counts what it is asked.
type memory struct {
	mu      sync.Mutex
	held    map[string]bool
	asked   []string
	changed chan struct{}
}

func holding(names ...string) *memory {
	m := &memory{held: map[string]bool{}, changed: make(chan struct{})}
	for _, name := range names {
		m.held[name] = true
	}
	return m
}

func (m *memory) Recall(_ context.Context, server string, k registry.Kind, items []registry.Item, sent [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	line := server + " " + k.Member()
	for i := range items {
		line += " " + string(sent[i])
		if m.held[items[i].Name] && items[i].State == registry.Offered {
			items[i].State, items[i].Reason = registry.Held, "it changed"
		}
	}
	m.asked = append(m.asked, line)
}

func (m *memory) RecallInstructions(_ context.Context, server, instructions, _ string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, server+" instructions "+instructions)
	return m.held[instructions]
}

func (m *memory) Changed(string) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// approve lets go of everything.
func (m *memory) approve() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = nil
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) took() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := m.asked
	m.asked = nil
	return asked
}

// TestHeldUntilApproved: what the memory holds is neither listed nor callable,
// and is both once it is approved, without a new connection.
func TestHeldUntilApproved(t *testing.T) {
	for _, modern := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{tools: []string{"x", "y"}, modern: modern}
			m := holding("x")
			r := start(t, func(o *Options) { o.Memory = m }, s)
			r.wantPart(toolsList, `{"tools":[{"name":"s0__y","v":0}]}`)
			r.wantPart(call, `"type":"ToolNotFound"`)
			m.approve()
			time.Sleep(3 * time.Second)
			got := strings.Join(r.got(), "")
			if !strings.Contains(got, "notifications/tools/list_changed") {
				t.Errorf("clients were told %q", got)
			}
			r.wantPart(toolsList, `"s0__x"`, `"s0__y"`)
			r.wantPart(call, `"echo"`)
			if len(s.conns) != 1 {
				t.Errorf("%d connections", len(s.conns))
			}
		})
	}
}

// TestMemoryIsAskedWhenSomethingChanged and not with every list.
func TestMemoryIsAskedWhenSomethingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x"}}
		m := holding()
		r := start(t, func(o *Options) { o.Memory, o.RelistInterval = m, 10*time.Second }, s)
		r.ask(toolsList)
		first := strings.Join(m.took(), "\n")
		if want := "s0 tools {\"name\":\"x\",\"v\":0}\ns0 prompts\ns0 resources\ns0 resourceTemplates\ns0 instructions "; first != want {
			t.Errorf("it was asked %q", first)
		}
		time.Sleep(time.Minute)
		for _, line := range m.took() {
			if strings.Contains(line, " tools ") {
				t.Errorf("it was asked again: %s", line)
			}
		}
		s.set(func() { s.version = 1 })
		time.Sleep(15 * time.Second)
		if asked := strings.Join(m.took(), "\n"); strings.Count(asked, "s0 tools {\"name\":\"x\",\"v\":1}") != 1 {
			t.Errorf("it was asked %q", asked)
		}
	})
}

// TestWhatIsBlockedStaysBlocked, whatever the memory says.
func TestWhatIsBlockedStaysBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{tools: []string{"x", "evil"}}
		m := holding()
		r := start(t, func(o *Options) { o.Memory = m }, s)
		r.wantPart(toolsList, `{"tools":[{"name":"s0__x","v":0}]}`)
		m.approve()
		time.Sleep(3 * time.Second)
		r.wantPart(toolsList, `{"tools":[{"name":"s0__x","v":0}]}`)
	})
}

func TestHeldInstructions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hello = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"f","version":"1"},"instructions":"Be nice"}`
		s := &fakeServer{tools: []string{"x"}, answers: map[string]string{"initialize": hello}}
		m := holding("Be nice")
		r := start(t, func(o *Options) { o.Memory = m }, s)
		const greet = `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
		if got := strings.Join(r.ask(greet), ""); strings.Contains(got, "Be nice") || !strings.Contains(got, "supportedVersions") {
			t.Errorf("held instructions: %s", got)
		}
		m.approve()
		time.Sleep(3 * time.Second)
		r.got()
		r.wantPart(greet, "Be nice")
	})
}
