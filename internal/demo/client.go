package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Client is a scripted MCP client: one request at a time.
type Client struct {
	in     *jsonrpc.Reader
	out    io.Writer
	nextID int64
}

// NewClient returns a client that reads answers from in and writes requests to
// out.
func NewClient(in io.Reader, out io.Writer) *Client {
	return &Client{in: jsonrpc.NewReader(in, 16<<20), out: out}
}

// Handshake introduces the client.
func (c *Client) Handshake() error {
	_, err := c.call(protocol.Initialize,
		[]byte(`{"protocolVersion":"`+protocol.LatestLegacy+`","capabilities":{},"clientInfo":{"name":"demo","version":"1"}}`))
	if err != nil {
		return err
	}
	_, err = c.out.Write(append(jsonrpc.AppendNotification(nil, protocol.Initialized, nil), '\n'))
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// Tools returns the names of the tools that are offered, and how long the
// answer took.
func (c *Client) Tools() ([]string, time.Duration, error) {
	start := time.Now()
	m, err := c.call(protocol.ToolsList, nil)
	if err != nil {
		return nil, 0, err
	}
	var list struct {
		Tools []struct {
			Name string `json:"name"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(m.Result, &list); err != nil {
		return nil, 0, fmt.Errorf("reading the list of tools: %w", err)
	}
	names := make([]string, 0, len(list.Tools))
	for _, t := range list.Tools {
		names = append(names, t.Name)
	}
	return names, time.Since(start), nil
}

// Answer is what a call came to.
type Answer struct {
	Outcome Outcome
	Text    string // what the model sees
	ScanID  string // under which the audit record has the reason
	Took    time.Duration
}

// Call calls a tool.
func (c *Client) Call(tool string, arguments json.RawMessage) (*Answer, error) {
	params := append([]byte(`{"name":`), jsonrpc.AppendString(nil, tool)...)
	if len(arguments) > 0 {
		params = append(append(params, `,"arguments":`...), arguments...)
	}
	start := time.Now()
	m, err := c.call(protocol.ToolsCall, append(params, '}'))
	if err != nil {
		return nil, err
	}
	a := &Answer{Outcome: Passed, Took: time.Since(start)}
	if m.Error != nil {
		a.Outcome = Refused
		err = a.readError(m.Error)
		return a, err
	}
	err = a.readResult(m.Result)
	return a, err
}

// refusal is how the relay names its own errors.
type refusal struct {
	Type   string `json:"type"`
	ScanID string `json:"scan_id"`
}

func (a *Answer) readError(object []byte) error {
	var e struct {
		Message string  `json:"message"`
		Data    refusal `json:"data"`
	}
	if err := json.Unmarshal(object, &e); err != nil {
		return fmt.Errorf("reading an error: %w", err)
	}
	a.Text, a.ScanID = e.Message, e.Data.ScanID
	return nil
}

func (a *Answer) readResult(result []byte) error {
	var r struct {
		Content []struct {
			Text string `json:"text"`
		} `json:"content"`
		IsError bool `json:"isError"`
		Meta    struct {
			Error refusal `json:"mcp-relay/error"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return fmt.Errorf("reading a result: %w", err)
	}
	for _, block := range r.Content {
		a.Text += block.Text
	}
	a.ScanID = r.Meta.Error.ScanID
	switch {
	case r.Meta.Error.Type == "SecurityBlock":
		a.Outcome = Blocked
	case r.IsError:
		a.Outcome = Failed
	case strings.Contains(a.Text, "[redacted:"):
		a.Outcome = Redacted
	}
	return nil
}

var errEnded = errors.New("the relay ended before it answered")

// call sends a request and waits for its answer; notifications are passed over.
func (c *Client) call(method string, params []byte) (jsonrpc.Message, error) {
	c.nextID++
	id := jsonrpc.IntID(c.nextID)
	if _, err := c.out.Write(append(jsonrpc.AppendRequest(nil, id, method, params), '\n')); err != nil {
		return jsonrpc.Message{}, fmt.Errorf("sending request %s: %w", strconv.FormatInt(c.nextID, 10), err)
	}
	for {
		frame, err := c.in.Next()
		if errors.Is(err, io.EOF) {
			return jsonrpc.Message{}, errEnded
		}
		if err != nil {
			return jsonrpc.Message{}, fmt.Errorf("reading an answer: %w", err)
		}
		m, err := jsonrpc.Parse(frame, nil)
		if err != nil {
			return jsonrpc.Message{}, fmt.Errorf("reading an answer: %w", err)
		}
		if m.Kind() == jsonrpc.Response && m.ID == id {
			return m, nil
		}
	}
}
