package airsbench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

var errEnded = errors.New("the relay ended")

// client is an MCP client over pipes that may have many requests in flight.
type client struct {
	out io.Writer

	mu      sync.Mutex
	last    int64
	waiting map[int64]chan rpc
	ended   bool
}

func newClient(in io.Reader, out io.Writer) *client {
	c := &client{out: out, waiting: map[int64]chan rpc{}}
	go c.read(in)
	return c
}

func (c *client) read(in io.Reader) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var m rpc
		if json.Unmarshal(lines.Bytes(), &m) != nil || m.ID == nil || m.Method != "" {
			continue
		}
		c.mu.Lock()
		answer := c.waiting[*m.ID]
		delete(c.waiting, *m.ID)
		c.mu.Unlock()
		if answer != nil {
			answer <- m
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, answer := range c.waiting {
		close(answer)
	}
}

// ask sends a request and waits for its answer.
func (c *client) ask(method, params string) (rpc, error) {
	answer := make(chan rpc, 1)
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return rpc{}, errEnded
	}
	c.last++
	c.waiting[c.last] = answer
	_, err := fmt.Fprintf(c.out, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":%q,\"params\":%s}\n", c.last, method, params)
	c.mu.Unlock()
	if err != nil {
		return rpc{}, fmt.Errorf("writing to the relay: %w", err)
	}
	m, ok := <-answer
	if !ok {
		return rpc{}, errEnded
	}
	return m, nil
}

// hello greets the relay and waits until the tool is offered.
func (c *client) hello() error {
	if _, err := c.ask("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"airsbench","version":"1"}}`); err != nil {
		return err
	}
	m, err := c.ask("tools/list", `{}`)
	if err != nil {
		return err
	}
	if !strings.Contains(string(m.Result), `"`+publicTool+`"`) {
		return fmt.Errorf("the tool is not offered: %s%s", m.Result, m.Error) //nolint:err113 // nobody switches on it
	}
	return nil
}

// call calls the tool and reports whether its result came through.
func (c *client) call(page string) (passed bool, err error) {
	m, err := c.ask("tools/call", fmt.Sprintf(`{"name":%q,"arguments":{"page":%q}}`, publicTool, page))
	return err == nil && m.Error == nil && strings.Contains(string(m.Result), page), err
}
