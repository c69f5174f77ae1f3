package canary

import (
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// replyWait is how long a question waits for its answer. The relay answers for a
// client that does not.
const replyWait = 10 * time.Second

// What the tool can be told to do, before the variant.
const (
	doAnswer = "answer "
	doFail   = "fail "
	doAsk    = "ask " // and the method
	doTell   = "tell "
)

// call runs the tool.
func (s *Server) call(m *jsonrpc.Message, back say, result func(members string)) {
	args, _ := jsonrpc.Member(m.Params, "arguments")
	do := jsonrpc.StringMember(args, "do")
	variant := Plain
	if strings.HasSuffix(do, word(Bad)) {
		variant = Bad
	}
	fine := func(text string) { result(`"content":[{"type":"text","text":` + text + `}]`) }
	switch {
	case strings.HasPrefix(do, doAnswer):
		fine(s.text("tools/call result", variant))
	case strings.HasPrefix(do, doFail):
		back(jsonrpc.AppendError(nil, m.ID, []byte(`{"code":-32000,"message":`+s.text("tools/call error", variant)+`}`)))
	case strings.HasPrefix(do, doAsk):
		method, _, _ := strings.Cut(strings.TrimPrefix(do, doAsk), " ")
		s.ask(m, method, variant, back, fine)
	case strings.HasPrefix(do, doTell):
		s.tell(m, variant, back)
		fine(`"fine"`)
	default:
		fine(`"fine"`)
	}
}

// question returns the params of what a server may ask.
func (s *Server) question(method string, v Variant) string {
	text := s.text(method, v)
	switch method {
	case protocol.Elicit:
		return `{"mode":"form","message":` + text + `,"requestedSchema":{"type":"object","properties":{"answer":{"type":"string"}}}}`
	case protocol.CreateMessage:
		return `{"messages":[{"role":"user","content":{"type":"text","text":` + text + `}}],"maxTokens":10}`
	default:
		return `{"_meta":{"canary/text":` + text + `}}`
	}
}

// ask asks the client something in mid-call: in the legacy era with a request, in
// the modern one with a result.
func (s *Server) ask(m *jsonrpc.Message, method string, v Variant, back say, fine func(string)) {
	params := s.question(method, v)
	if s.modern {
		if _, answered := jsonrpc.Member(m.Params, "inputResponses"); answered {
			fine(`"fine"`)
			return
		}
		back(jsonrpc.AppendResult(nil, m.ID, []byte(
			`{"resultType":"input_required","inputRequests":{"k":{"method":"`+method+`","params":`+params+`}},"requestState":"s"}`)))
		return
	}
	id := jsonrpc.IntID(s.asked.Add(1))
	answered := s.expect(id)
	back(jsonrpc.AppendRequest(nil, id, method, []byte(params)))
	select {
	case <-answered:
	case <-time.After(replyWait):
	}
	fine(`"fine"`)
}

// tell sends a log message and word of progress.
func (s *Server) tell(m *jsonrpc.Message, v Variant, back say) {
	back(jsonrpc.AppendNotification(nil, protocol.LogMessage, []byte(`{"level":"error","data":`+s.text(protocol.LogMessage, v)+`}`)))
	s.progress(m, s.text(protocol.Progress, v), back)
}

func (s *Server) progress(m *jsonrpc.Message, text string, back say) {
	token, ok := protocol.ProgressToken(m.Params)
	if !ok {
		return
	}
	params := `{"progressToken":` + string(token) + `,"progress":1`
	if text != "" {
		params += `,"message":` + text
	}
	back(jsonrpc.AppendNotification(nil, protocol.Progress, []byte(params+`}`)))
}
