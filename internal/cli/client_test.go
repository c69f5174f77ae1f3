package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// client is an MCP client of either era on any transport. It answers what
// servers ask. It is for one goroutine.
type client struct {
	modern bool
	// talk sends a request and returns its answer. What else comes goes to
	// other, whose result, if any, is sent.
	talk  func(id jsonrpc.ID, method, name string, body []byte, other func(m jsonrpc.Message) []byte) (jsonrpc.Message, error)
	id    int64
	asked []string // what servers asked: method and params
	notes []string // the methods of notifications
}

// answers are what the client says to servers.
var answers = map[string]string{
	protocol.Elicit:        `{"action":"accept","content":{"name":"Ada"}}`,
	protocol.CreateMessage: `{"role":"assistant","content":{"type":"text","text":"word"},"model":"m"}`,
	protocol.ListRoots:     `{"roots":[{"uri":"file:///home/ada"}]}`,
}

// rounds bounds how often a modern client comes again.
const rounds = 20

// call calls a tool and returns the answer.
func (c *client) call(tool string) (jsonrpc.Message, error) {
	params := []byte(`{"name":"` + tool + `","arguments":{}}`)
	for range rounds {
		m, err := c.send(protocol.ToolsCall, tool, params)
		if err != nil || !c.modern || m.Error != nil {
			return m, err
		}
		in, ok, err := protocol.InputRequired(m.Result)
		if !ok || err != nil {
			return m, err
		}
		var responses []protocol.InputResponse
		for _, r := range in.Requests {
			c.asked = append(c.asked, r.Method+" "+string(r.Params))
			responses = append(responses, protocol.InputResponse{Key: r.Key, Result: []byte(answers[r.Method])})
		}
		params = protocol.WithInput(protocol.WithoutInput(params), responses, in.State, in.HasState)
	}
	return jsonrpc.Message{}, errors.New("too many rounds")
}

// send sends one request and returns its answer.
func (c *client) send(method, name string, params []byte) (jsonrpc.Message, error) {
	c.id++
	id := jsonrpc.IntID(c.id)
	if c.modern {
		meta, _ := jsonrpc.Member([]byte("{"+modernMeta+"}"), "_meta")
		params = jsonrpc.SetMember(params, "_meta", jsonrpc.SetMember(meta, "progressToken", []byte(id.Raw())))
	} else if method == protocol.ToolsCall {
		params = jsonrpc.SetMember(params, "_meta", []byte(`{"progressToken":`+id.Raw()+`}`))
	}
	return c.talk(id, method, name, jsonrpc.AppendRequest(nil, id, method, params), c.other)
}

func (c *client) other(m jsonrpc.Message) []byte {
	if m.Kind() != jsonrpc.Request {
		c.notes = append(c.notes, m.Method)
		return nil
	}
	c.asked = append(c.asked, m.Method+" "+string(m.Params))
	return jsonrpc.AppendResult(nil, m.ID, []byte(answers[m.Method]))
}

// text calls a tool and returns the text of its result, or its error.
func (c *client) text(tool string) string {
	m, err := c.call(tool)
	switch {
	case err != nil:
		return "failed: " + err.Error()
	case m.Error != nil:
		return "error: " + string(m.Error)
	}
	var text strings.Builder
	list, _ := jsonrpc.Member(m.Result, "content")
	for block := range jsonrpc.Elements(list) {
		raw, _ := jsonrpc.Member(block, "text")
		s, _ := jsonrpc.Unquote(raw)
		text.WriteString(s)
	}
	return text.String()
}

// stdioClient is a client on the streams of the relay.
func stdioClient(p *program, modern bool) (*client, error) {
	in := jsonrpc.NewReader(p.out, 16<<20)
	c := &client{modern: modern}
	c.talk = func(id jsonrpc.ID, _, _ string, body []byte, other func(jsonrpc.Message) []byte) (jsonrpc.Message, error) {
		if _, err := p.in.Write(append(body, '\n')); err != nil {
			return jsonrpc.Message{}, err
		}
		for {
			line, err := in.Next()
			if err != nil {
				return jsonrpc.Message{}, err
			}
			m, err := jsonrpc.Parse(line, nil)
			if err != nil || m.Kind() == jsonrpc.Response && m.ID == id {
				m.Result = append([]byte(nil), m.Result...) // the line is read over
				return m, err
			}
			if reply := other(m); reply != nil {
				if _, err := p.in.Write(append(reply, '\n')); err != nil {
					return m, err
				}
			}
		}
	}
	if modern {
		return c, nil
	}
	_, err := c.talk(jsonrpc.IntID(0), protocol.Initialize, "", []byte(initialize), c.other)
	return c, err
}

// client connects a client over HTTP, with the headers in pairs beside.
func (w *web) client(modern bool, headers ...string) (*client, error) {
	c := &client{modern: modern}
	if !modern {
		session, err := w.session(headers...)
		if err != nil {
			return nil, err
		}
		headers = append([]string{"Mcp-Session-Id", session, protocol.HeaderVersion, "2025-11-25"}, headers...)
	}
	c.talk = func(id jsonrpc.ID, method, name string, body []byte, other func(jsonrpc.Message) []byte) (jsonrpc.Message, error) {
		all := headers
		if modern {
			all = append(modernHeaders(method, name), headers...)
		}
		s, err := w.open(w.request("POST", "/mcp", string(body), all...))
		if err != nil {
			return jsonrpc.Message{}, err
		}
		defer s.close()
		for {
			m, err := s.next()
			if err != nil {
				return m, fmt.Errorf("status %d: %w", s.status, err)
			}
			if m.Kind() == jsonrpc.Response && m.ID == id {
				return m, nil
			}
			if reply := other(m); reply != nil {
				if a := w.do("POST", "/mcp", string(reply), headers...); a.status != 202 {
					return m, fmt.Errorf("an answer got %s", strconv.Itoa(a.status))
				}
			}
		}
	}
	return c, nil
}

// session starts a session of the legacy era.
func (w *web) session(headers ...string) (string, error) {
	s, err := w.open(w.request("POST", "/mcp", initialize, headers...))
	if err != nil {
		return "", err
	}
	defer s.close()
	m, err := s.next()
	if err != nil || m.Error != nil {
		return "", fmt.Errorf("status %d, %s: %w", s.status, m.Error, err)
	}
	if _, err := s.next(); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return s.header.Get("Mcp-Session-Id"), nil
}
