package relay

import (
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/session"
)

// elicitations remember which client was sent to which address, so that it
// alone learns when the server is done there (MCP 2025-11-25, elicitation,
// completion notifications).
type elicitations struct {
	mu    sync.Mutex
	by    map[string]*session.Session // by the server's id
	order []string                    // oldest first
}

// maxElicitations bounds the ids of one server that are remembered.
const maxElicitations = 256

// learn takes a question that a client of the legacy era is asked.
func (e *elicitations) learn(method string, params []byte, sess *session.Session) {
	if method == protocol.Elicit {
		e.add(jsonrpc.StringMember(params, "elicitationId"), sess)
	}
}

// demanded takes an error that wants the client to visit addresses first.
func (e *elicitations) demanded(object []byte, sess *session.Session) {
	if code, _ := protocol.ErrorCode(object); code != protocol.CodeURLElicitationRequired {
		return
	}
	data, _ := jsonrpc.ObjectMember(object, "data")
	list, _ := jsonrpc.Member(data, "elicitations")
	for el := range jsonrpc.Elements(list) {
		e.add(jsonrpc.StringMember(el, "elicitationId"), sess)
	}
}

func (e *elicitations) add(id string, sess *session.Session) {
	if id == "" {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.by == nil {
		e.by = map[string]*session.Session{}
	}
	if known, again := e.by[id]; again {
		if known != sess {
			e.by[id] = nil // nobody can tell whose it is
		}
		return
	}
	if len(e.order) >= maxElicitations {
		delete(e.by, e.order[0])
		e.order = e.order[1:]
	}
	e.by[id] = sess
	e.order = append(e.order, id)
}

// of returns whom an elicitation was for; nil: nobody knows.
func (e *elicitations) of(id string) *session.Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.by[id]
}

// elicited passes on that the server is done with an elicitation.
func (s *server) elicited(m jsonrpc.Message) {
	sess := s.elicitations.of(jsonrpc.StringMember(m.Params, "elicitationId"))
	if sess == nil {
		sess = s.relay.onlyClient()
	}
	if sess == nil {
		s.anomaly("notification_of_no_client")
		return
	}
	s.tell(m, func(c peer.Cleared) { s.relay.reached(sess.Notify(c)) })
}
