package relay

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mcp-relay/relay/internal/audit"
	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// greeting is what a server says of itself in its handshake and clients are
// told: instructions for the model, and capabilities that the relay has no part
// in. It is judged as a definition.
type greeting struct {
	raw          []byte // as the server sent it
	instructions string
	// extensions and experimental are raw JSON objects; nil: none.
	extensions, experimental, tasks []byte
	// What the memory was asked about the instructions, and its answer.
	recalled     bool
	sent, scanID string
	held         atomic.Bool
	// subject is what passed, as it is judged again when others judge; nil: there
	// is nothing. Only the server's upkeep uses it, and verdicts, the relay's of
	// when it was judged.
	subject  *scan.Subject
	verdicts int64
	refused  atomic.Bool // when it was judged again
}

// judgeGreeting has the greeting judged. A blocked one is as none.
func (s *server) judgeGreeting(ctx context.Context, l *link) error {
	body := []byte("{}")
	l.greeting.verdicts = s.relay.verdicts.Load()
	for _, name := range []string{"instructions"} {
		if raw, ok := jsonrpc.Member(l.greeting.raw, name); ok && string(raw) != `""` {
			body = jsonrpc.SetMember(body, name, raw)
		}
	}
	for _, name := range []string{"extensions", "experimental", "tasks"} {
		if raw, ok := jsonrpc.ObjectMember(l.capabilities, name); ok {
			body = jsonrpc.SetMember(body, name, raw)
		}
	}
	l.greeting.raw = nil
	if string(body) == "{}" {
		s.recallInstructions(ctx, l, "", "")
		return nil
	}
	method := protocol.Initialize
	if l.modern() {
		method = protocol.Discover
	}
	subject := &scan.Subject{
		Part: peer.Result, Hidden: s.cfg.Hidden,
		Content: verdict.Content{
			Phase: verdict.Definition, Kind: verdict.JSON, Data: body,
			Origin: verdict.Origin{Server: s.cfg.Name, Method: method, ProtocolVersion: l.version()},
		},
	}
	d, err := s.insist(ctx, l, subject, func(string) { s.unscanned() })
	if err != nil {
		return err
	}
	if d.Outcome != scan.Passed {
		s.greetingWithheld(method, d.ScanID)
		return nil
	}
	passed := d.Cleared.Body()
	again := *subject
	again.Content.Data = passed
	l.greeting.subject = &again
	l.greeting.instructions = jsonrpc.StringMember(passed, "instructions")
	l.greeting.extensions, _ = jsonrpc.ObjectMember(passed, "extensions")
	l.greeting.experimental, _ = jsonrpc.ObjectMember(passed, "experimental")
	l.greeting.tasks, _ = jsonrpc.ObjectMember(passed, "tasks")
	s.recallInstructions(ctx, l, jsonrpc.StringMember(body, "instructions"), d.ScanID)
	return nil
}

func (s *server) greetingWithheld(method, scanID string) {
	s.relay.log.Warn("the server's instructions are withheld", slog.String("server", s.cfg.Name), slog.String("scan_id", scanID))
	s.relay.record(&audit.Record{
		Event: audit.Withheld, Server: s.cfg.Name, Method: method, Phase: verdict.Definition,
		ScanID: scanID, Reason: "a scanner blocked the server's instructions",
	})
}

// judgeGreetingAgain has what passed of the greeting judged by those who judge
// now, if they have not. What does not pass as it is, is as none to clients that
// come from now on; the others were told.
func (s *server) judgeGreetingAgain(ctx context.Context, l *link) error {
	g, verdicts := &l.greeting, s.relay.verdicts.Load()
	if g.verdicts == verdicts {
		return nil
	}
	if g.subject != nil {
		d, err := s.insist(ctx, l, g.subject, func(string) { g.refused.Store(true) })
		if err != nil {
			return err
		}
		refused := d.Outcome != scan.Passed || d.Changed
		if g.refused.Store(refused); refused {
			s.greetingWithheld(g.subject.Content.Origin.Method, d.ScanID)
		}
	}
	g.verdicts = verdicts
	return nil
}

// greetWait is how long a client's handshake waits for servers that start: some
// clients give up early, and what comes later is announced.
const greetWait = 3 * time.Second

// initialize answers a legacy client's handshake.
func (c *Client) initialize(req *session.Request, params []byte) {
	version := protocol.Negotiate(jsonrpc.StringMember(params, "protocolVersion"))
	sender := session.Sender{Version: version}
	if info, ok := jsonrpc.ObjectMember(params, "clientInfo"); ok {
		sender.Info, sender.Name = info, jsonrpc.StringMember(info, "name")
	}
	sender.Capabilities, _ = jsonrpc.ObjectMember(params, "capabilities")
	c.session.Introduce(sender)
	c.relay.introduced(false, sender.Capabilities)
	c.greet(req, func(body []byte) []byte {
		return jsonrpc.SetMember(body, "protocolVersion", jsonrpc.AppendString(nil, version))
	})
}

// discover answers server/discover of a modern client.
func (c *Client) discover(req *session.Request) {
	c.greet(req, func(body []byte) []byte {
		versions := []byte{'['}
		for i, v := range protocol.Supported() {
			if i > 0 {
				versions = append(versions, ',')
			}
			versions = jsonrpc.AppendString(versions, v)
		}
		body = jsonrpc.SetMember(body, "supportedVersions", append(versions, ']'))
		body = jsonrpc.SetMember(body, "_meta", c.relay.resultMeta())
		ttl := time.Minute
		if !c.relay.settled() {
			ttl = 0
		}
		return protocol.Cacheable(body, ttl)
	})
}

// greet answers with what the relay is, once the servers are ready or have had
// their time.
func (c *Client) greet(req *session.Request, finish func([]byte) []byte) {
	r := c.relay
	reply := func() { r.answer(req, r.author(peer.Result, req.Method(), finish(r.greeting(req.Modern())))) }
	if r.settled() {
		reply()
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(req.Context(), greetWait)
		defer cancel()
		r.Settle(ctx)
		reply()
	}()
}

// greeting returns what the relay says of itself and of its servers.
func (r *Relay) greeting(modern bool) []byte {
	capabilities := []byte(`{"tools":{"listChanged":true},"prompts":{"listChanged":true},` +
		`"resources":{"subscribe":true,"listChanged":true},"logging":{},"completions":{}}`)
	var extensions, experimental, tasks []byte
	var words []instruction
	for _, s := range r.servers() {
		l := s.current.Load()
		if l == nil || l.greeting.refused.Load() {
			continue
		}
		extensions = merged(extensions, l.greeting.extensions)
		experimental = merged(experimental, l.greeting.experimental)
		if tasks == nil {
			tasks = l.greeting.tasks
		}
		if l.greeting.instructions != "" && !l.greeting.held.Load() {
			words = append(words, instruction{s.cfg.Name, l.greeting.instructions})
		}
	}
	if extensions != nil {
		capabilities = jsonrpc.SetMember(capabilities, "extensions", extensions)
	}
	if experimental != nil {
		capabilities = jsonrpc.SetMember(capabilities, "experimental", experimental)
	}
	if tasks != nil && !modern {
		capabilities = jsonrpc.SetMember(capabilities, "tasks", tasks)
	}
	body := append([]byte(`{"capabilities":`), capabilities...)
	body = append(append(body, `,"serverInfo":`...), r.implementation()...)
	body = append(body, '}')
	if text := r.instructions(words); text != "" {
		body = jsonrpc.SetMember(body, "instructions", jsonrpc.AppendString(nil, text))
	}
	return body
}

// merged returns an object with the members of both; a's count where both have
// one.
func merged(a, b []byte) []byte {
	if b == nil {
		return a
	}
	if a == nil {
		return b
	}
	for name, raw := range jsonrpc.Members(b) {
		if _, known := jsonrpc.Member(a, name); !known {
			a = jsonrpc.SetMember(a, name, raw)
		}
	}
	return a
}

// instruction is what one server wants the model to know.
type instruction struct{ server, text string }

// maxInstructions bounds what one of several servers may tell the model, in
// bytes.
const maxInstructions = 2 << 10

// instructions returns the instructions of all servers. Those of an only server
// stay as they are. Those of several are fenced: each line is quoted, so that
// no server can speak outside of its own part.
func (r *Relay) instructions(all []instruction) string {
	if !r.several() {
		if len(all) == 0 {
			return ""
		}
		return all[0].text
	}
	var b strings.Builder
	for _, in := range all {
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString("What the server " + in.server + " says about its own tools:\n")
		for line := range strings.FieldsFuncSeq(clipped(in.text), isLineEnd) {
			b.WriteString("> " + line + "\n")
		}
	}
	return b.String()
}

// isLineEnd reports whether some reader begins a new line after r, or lets what
// follows stand elsewhere.
func isLineEnd(r rune) bool {
	return r != '\t' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r)
}

// clipped cuts a text to maxInstructions at the border of a character.
func clipped(text string) string {
	if len(text) <= maxInstructions {
		return text
	}
	cut := maxInstructions
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + " …"
}
