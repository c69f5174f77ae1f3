package canary

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Client has the conversation of a run with a server, through whatever is in
// between, over two streams.
type Client struct {
	run    Run
	modern bool
	note   func(data []byte) // gets everything that it is sent

	out  io.Writer
	mu   sync.Mutex // of out
	last int64

	frames  chan []byte
	variant Variant // of answers to what the server asks
}

// NewClient returns a client of an era that reads in to its end, in the background.
// note is given every message as it came.
func NewClient(r Run, modern bool, in io.Reader, out io.Writer, note func(data []byte)) *Client {
	c := &Client{run: r, modern: modern, note: note, out: out, frames: make(chan []byte, 64)}
	go func() {
		defer close(c.frames)
		frames := jsonrpc.NewReader(in, maxMessage)
		for {
			frame, err := frames.Next()
			if err != nil {
				return
			}
			frame = append([]byte(nil), frame...)
			note(frame)
			select {
			case c.frames <- frame:
			case <-time.After(replyWait): // nobody reads any more
				return
			}
		}
	}()
	return c
}

const (
	clientInfo   = `{"name":"canary","version":"1"}`
	clientSkills = `{"roots":{},"sampling":{},"elicitation":{"form":{}}}`
)

// errGone says that the connection ended.
var errGone = errors.New("the relay ended the connection")

func (c *Client) write(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.out.Write(append(frame, '\n')); err != nil {
		return fmt.Errorf("writing to the relay: %w", err)
	}
	return nil
}

// meta are the members of _meta that every request has.
func (c *Client) meta(token string) string {
	m := `"_meta":{"progressToken":"` + token + `"`
	if c.modern {
		m += `,"` + protocol.MetaVersion + `":"` + protocol.LatestModern + `","` + protocol.MetaInfo + `":` + clientInfo +
			`,"` + protocol.MetaCapabilities + `":` + clientSkills + `,"` + protocol.MetaLogLevel + `":"debug"`
	}
	return m
}

// send sends a request. members are those of params beside _meta; more are members
// of _meta.
func (c *Client) send(method, members, more string) (jsonrpc.ID, error) {
	c.last++
	id := jsonrpc.IntID(c.last)
	params := `{` + c.meta("p"+id.Raw()) + more + `}`
	if members != "" {
		params += `,` + members
	}
	return id, c.write(jsonrpc.AppendRequest(nil, id, method, []byte(params+`}`)))
}

// request sends a request and waits for its answer; in the modern era it answers
// what the server wants to know first.
func (c *Client) request(ctx context.Context, method, members, more string) (jsonrpc.Message, error) {
	extra := ""
	for {
		id, err := c.send(method, members+extra, more)
		if err != nil {
			return jsonrpc.Message{}, err
		}
		m, err := c.answer(ctx, id)
		in, wants, ierr := protocol.InputRequired(m.Result)
		if err != nil || !wants || extra != "" {
			return m, err
		}
		if ierr != nil {
			return m, fmt.Errorf("what the server wants to know: %w", ierr)
		}
		var answers strings.Builder
		for i, q := range in.Requests {
			if i > 0 {
				answers.WriteByte(',')
			}
			answers.Write(jsonrpc.AppendString(nil, q.Key))
			answers.WriteString(`:` + c.reply(q.Method))
		}
		extra = `,"inputResponses":{` + answers.String() + `}`
		if in.HasState {
			extra += `,"requestState":` + string(jsonrpc.AppendString(nil, in.State))
		}
	}
}

// answer waits for the answer to a request, and answers what the server asks.
func (c *Client) answer(ctx context.Context, id jsonrpc.ID) (jsonrpc.Message, error) {
	for {
		m, err := c.next(ctx)
		if err != nil {
			return m, err
		}
		switch m.Kind() {
		case jsonrpc.Request:
			if err := c.write(jsonrpc.AppendResult(nil, m.ID, []byte(c.reply(m.Method)))); err != nil {
				return m, err
			}
		case jsonrpc.Response:
			if m.ID == id {
				return m, nil
			}
		default:
		}
	}
}

func (c *Client) next(ctx context.Context) (jsonrpc.Message, error) {
	select {
	case <-ctx.Done():
		return jsonrpc.Message{}, fmt.Errorf("waiting for the relay: %w", ctx.Err())
	case frame, ok := <-c.frames:
		if !ok {
			return jsonrpc.Message{}, errGone
		}
		m, err := jsonrpc.Parse(frame, nil)
		if err != nil {
			return m, fmt.Errorf("reading what the relay sent: %w", err)
		}
		return m, nil
	}
}

// reply answers a question of the server, with a text in it.
func (c *Client) reply(method string) string {
	text := func() string {
		return string(jsonrpc.AppendString(nil, c.run.text(number(method+" reply"), c.variant)))
	}
	switch method {
	case protocol.Elicit:
		return `{"action":"accept","content":{"answer":` + text() + `}}`
	case protocol.CreateMessage:
		return `{"role":"assistant","model":"canary","content":{"type":"text","text":` + text() + `}}`
	case protocol.ListRoots:
		return `{"roots":[{"uri":"file:///canary","name":` + text() + `}]}`
	default:
		return `{}`
	}
}
