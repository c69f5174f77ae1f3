// Package client is a lean MCP client for load generation.
//
// It is written against the specification, with no MCP library, so that no
// measured relay shares code with the harness.
package client

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

// Modern is the stateless protocol version; every other version starts with
// an initialize handshake.
const Modern = "2026-07-28"

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + Modern +
	`","io.modelcontextprotocol/clientInfo":{"name":"mcpbench","version":"1.0.0"},"io.modelcontextprotocol/clientCapabilities":{}}`

// transport carries one request at a time per call. Implementations must be
// safe for the concurrency they document.
type transport interface {
	// roundTrip sends one complete message and returns the response to id.
	// name is params.name of a tools/call. It reports when the response had
	// arrived. The returned bytes are valid until the next call on the same
	// lane.
	roundTrip(lane int, id int64, method, name string, msg []byte) ([]byte, time.Time, error)
	notify(msg []byte) error
	setVersion(v string)
	setDeadline(t time.Time)
	close()
}

// Client is one MCP session (or, for the stateless era, one connection).
type Client struct {
	t       transport
	Version string // protocol version in use
	bufs    [][]byte
}

// Tool is a tool that the server listed.
type Tool struct{ Name string }

// RPCError is an error response.
type RPCError struct{ Raw string }

func (e *RPCError) Error() string { return "error response: " + e.Raw }

func newClient(t transport, lanes int) *Client {
	return &Client{t: t, bufs: make([][]byte, lanes)}
}

// Start performs the handshake of the wanted version; "auto" tries the
// stateless era first.
func (c *Client) Start(version string) error {
	if version == Modern || version == "auto" {
		c.Version = Modern
		c.t.setVersion(Modern)
		res, _, err := c.Call(0, 1, "server/discover", "", nil)
		if err == nil && bytes.Contains(jscan.Get(res, "supportedVersions"), []byte(`"`+Modern+`"`)) {
			return nil
		}
		if version == Modern {
			if err == nil {
				err = fmt.Errorf("server/discover does not list %s", Modern)
			}
			return err
		}
		version = "2025-11-25"
	}
	c.Version = version
	c.t.setVersion("")
	res, _, err := c.Call(0, 2, "initialize", "", fmt.Appendf(nil, `"protocolVersion":%q,"capabilities":{},"clientInfo":{"name":"mcpbench","version":"1.0.0"}`, version))
	if err != nil {
		return fmt.Errorf("initialize: %w", err)
	}
	if v, ok := jscan.String(jscan.Get(res, "protocolVersion")); ok {
		c.Version = v
	}
	c.t.setVersion(c.Version)
	return c.t.notify([]byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
}

// Call sends a request and returns the message from its result on (what follows
// the result is left in place) and the time at which the whole response had
// arrived. params are the members of the params object
// without braces. Concurrent callers use different lanes.
func (c *Client) Call(lane int, id int64, method, name string, params []byte) ([]byte, time.Time, error) {
	b := c.bufs[lane][:0]
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = strconv.AppendInt(b, id, 10)
	b = append(b, `,"method":"`...)
	b = append(b, method...)
	b = append(b, `","params":{`...)
	b = append(b, params...)
	if c.Version == Modern {
		if len(params) > 0 {
			b = append(b, ',')
		}
		b = append(b, modernMeta...)
	}
	b = append(b, "}}"...)
	c.bufs[lane] = b
	msg, at, err := c.t.roundTrip(lane, id, method, name, b)
	if err != nil {
		return nil, at, err
	}
	var result, rpcErr []byte
	if err := jscan.Members(msg, func(k, rest []byte) bool {
		switch string(k) {
		case "result":
			result = rest
			return false
		case "error":
			rpcErr = rest
			return false
		}
		return true
	}); err != nil {
		return nil, at, err
	}
	if rpcErr != nil {
		return nil, at, &RPCError{clip(rpcErr)}
	}
	if result == nil {
		return nil, at, errors.New("response without result")
	}
	return result, at, nil
}

// List reads every page of tools/list. at is when the last page had arrived.
func (c *Client) List(lane int, id int64, f func(rawTool []byte)) (n int, at time.Time, err error) {
	var params []byte
	for range 1000 {
		var res []byte
		if res, at, err = c.Call(lane, id, "tools/list", "", params); err != nil {
			return n, at, err
		}
		if err := jscan.Array(jscan.Get(res, "tools"), func(v []byte) bool {
			n++
			if f != nil {
				f(v)
			}
			return true
		}); err != nil {
			return n, at, err
		}
		next := jscan.Get(res, "nextCursor")
		if len(next) < 3 {
			return n, at, nil
		}
		params = append([]byte(`"cursor":`), next...)
	}
	return n, at, errors.New("tools/list never ends")
}

// FindTool reports whether a listed name is the base tool, whatever prefix the
// server or the relay put before it.
func FindTool(listed, base string) bool {
	rest, ok := strings.CutSuffix(listed, base)
	return ok && (rest == "" || strings.ContainsAny(rest[len(rest)-1:], "_-./:"))
}

// SetDeadline bounds every pending and later call.
func (c *Client) SetDeadline(t time.Time) { c.t.setDeadline(t) }

// Unexpected counts messages that answered no pending call: duplicates, unknown
// ids and text that is not JSON-RPC. Over HTTP such a message fails the call.
func (c *Client) Unexpected() int {
	if s, ok := c.t.(*stdio); ok {
		return int(s.unexpected.Load())
	}
	return 0
}

// Close ends the session's connections.
func (c *Client) Close() { c.t.close() }

func clip(b []byte) string {
	if len(b) > 300 {
		return string(b[:300]) + "..."
	}
	return string(b)
}
