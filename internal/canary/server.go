package canary

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Server is an MCP server that puts texts into whatever a client can have it say.
// Messages reach it through Hear; its transports are [Server.ServeLines] and
// [Server.Handler]. It is safe for concurrent use.
type Server struct {
	run    Run
	modern bool
	note   func(data []byte) // gets everything that it is sent

	asked atomic.Int64 // its own ids
	mu    sync.Mutex
	open  map[jsonrpc.ID]chan struct{} // questions that wait for an answer
}

// NewServer returns a server of an era. note is given every message as it came.
func NewServer(r Run, modern bool, note func(data []byte)) *Server {
	return &Server{run: r, modern: modern, note: note, open: map[jsonrpc.ID]chan struct{}{}}
}

// What the server offers.
const (
	tool     = "canary_call"
	prompt   = "canary_prompt"
	resource = "canary://known/plain"
	poisoned = "canary://known/bad" // its listing is plain, its contents are not
)

// say sends a message; it may be called by any goroutine.
type say func(frame []byte)

// Hear takes one message of the client. Answers may come after it has returned.
func (s *Server) Hear(frame []byte, back say) {
	s.note(frame)
	m, err := jsonrpc.Parse(frame, nil)
	if err != nil {
		return
	}
	switch m.Kind() {
	case jsonrpc.Request:
		go s.answer(&m, back)
	case jsonrpc.Response:
		s.answered(m.ID)
	default:
	}
}

// expect returns a channel that is closed when the question of that id is answered.
func (s *Server) expect(id jsonrpc.ID) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := make(chan struct{})
	s.open[id] = c
	return c
}

func (s *Server) answered(id jsonrpc.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.open[id]; c != nil {
		close(c)
		delete(s.open, id)
	}
}

const capabilities = `{"tools":{},"prompts":{},"resources":{},"logging":{},"completions":{}}`

func (s *Server) answer(m *jsonrpc.Message, back say) {
	result := func(members string) {
		if s.modern {
			members = `"resultType":"complete",` + members
		}
		back(jsonrpc.AppendResult(nil, m.ID, []byte("{"+members+"}")))
	}
	list := func(members string) {
		if s.modern {
			members = `"ttlMs":0,"cacheScope":"private",` + members
		}
		result(members)
	}
	unknown := func() {
		back(jsonrpc.AppendError(nil, m.ID, []byte(`{"code":-32601,"message":"Method not found"}`)))
	}
	instructions := `"instructions":` + s.text("instructions", Bad)
	switch m.Method {
	case protocol.Initialize:
		if s.modern {
			unknown()
			return
		}
		result(`"protocolVersion":"` + protocol.LatestLegacy + `","capabilities":` + capabilities +
			`,"serverInfo":{"name":"canary","version":"1"},` + instructions)
	case protocol.Discover:
		if !s.modern {
			unknown()
			return
		}
		list(`"supportedVersions":["` + protocol.LatestModern + `"],"capabilities":` + capabilities + `,` + instructions +
			`,"_meta":{"` + protocol.MetaServerInfo + `":{"name":"canary","version":"1"}}`)
	case protocol.ToolsList, protocol.PromptsList, protocol.ResourcesList, protocol.TemplatesList:
		list(s.catalogue(m.Method))
	case protocol.Ping, protocol.SetLevel, protocol.Subscribe, protocol.Unsubscribe:
		result(``)
	case protocol.Listen:
		back(jsonrpc.AppendNotification(nil, protocol.Acknowledged, []byte(
			`{"_meta":{"`+protocol.MetaSubscription+`":`+m.ID.Raw()+`},"notifications":{}}`)))
	case protocol.ToolsCall:
		s.call(m, back, result)
	case protocol.PromptsGet:
		args, _ := jsonrpc.Member(m.Params, "arguments")
		result(`"messages":[{"role":"user","content":{"type":"text","text":` + s.wanted("prompts/get result", jsonrpc.StringMember(args, "do")) + `}}]`)
	case protocol.ResourcesRead:
		uri := jsonrpc.StringMember(m.Params, "uri")
		v := Plain
		if uri == poisoned {
			v = Bad
		}
		members := `"contents":[{"uri":` + string(jsonrpc.AppendString(nil, uri)) + `,"mimeType":"text/plain","text":` + s.text("resources/read result", v) + `}]`
		if s.modern {
			members = `"ttlMs":0,"cacheScope":"private",` + members
		}
		result(members)
	case protocol.CompletionComplete:
		argument, _ := jsonrpc.Member(m.Params, "argument")
		result(`"completion":{"values":[` + s.wanted("completion/complete result", jsonrpc.StringMember(argument, "name")) + `]}`)
	default:
		unknown()
	}
}

// catalogue returns the member of a list that holds the items: a plain one, and one
// that is to be withheld.
func (s *Server) catalogue(method string) string {
	switch method {
	case protocol.ToolsList:
		return `"tools":[` + s.item(method, Plain, `"name":"`+tool+`","inputSchema":{"type":"object"}`) + `,` +
			s.item(method, Bad, `"name":"canary_bad","inputSchema":{"type":"object"}`) + `]`
	case protocol.PromptsList:
		return `"prompts":[` + s.item(method, Plain, `"name":"`+prompt+`"`) + `,` + s.item(method, Bad, `"name":"canary_bad"`) + `]`
	case protocol.ResourcesList:
		return `"resources":[` + s.item(method, Plain, `"name":"plain","uri":"`+resource+`"`) + `,{"name":"contents","uri":"` + poisoned + `"},` +
			s.item(method, Bad, `"name":"bad","uri":"canary://bad"`) + `]`
	default:
		return `"resourceTemplates":[` + s.item(method, Plain, `"name":"plain","uriTemplate":"canary://one/{x}"`) + `,` +
			s.item(method, Bad, `"name":"bad","uriTemplate":"canary://two/{x}"`) + `]`
	}
}

// text returns the JSON string of a step's text.
func (s *Server) text(step string, v Variant) string {
	return string(jsonrpc.AppendString(nil, s.run.text(number(step), v)))
}

// wanted is text when the client asked for one of this step, and "fine" otherwise.
func (s *Server) wanted(step, do string) string {
	switch do {
	case word(Plain):
		return s.text(step, Plain)
	case word(Bad):
		return s.text(step, Bad)
	default:
		return `"fine"`
	}
}

func word(v Variant) string { return "v" + strconv.Itoa(int(v)) }

func (s *Server) item(step string, v Variant, members string) string {
	return `{"description":` + s.text(step, v) + `,` + members + `}`
}
