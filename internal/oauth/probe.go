package oauth

import (
	"context"
	"net/http"
)

// insufficientScope is an error code (RFC 6750, section 3.1).
const insufficientScope = "insufficient_scope"

// probes are requests that a server which wants a token refuses. Neither does
// anything: the first names no session, and nothing follows the second.
var probes = []string{
	`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`,
	`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},` +
		`"clientInfo":{"name":"mcp-relay","version":"1"}}}`,
}

// probe asks the server without a token what it wants. Asked is false when it
// wants nothing for what it was asked.
func (c *Client) probe(ctx context.Context) (ch challenge, asked bool) {
	for _, body := range probes {
		a, err := c.request(ctx, body, "")
		if err == nil && a.status == http.StatusUnauthorized {
			return parseChallenge(a.header.Values("WWW-Authenticate")), true
		}
	}
	return challenge{}, false
}

// try asks the server with a token. What it says besides "not with this token"
// does not matter here.
func (c *Client) try(ctx context.Context, r *record) (accepted bool, ch challenge) {
	a, err := c.request(ctx, probes[0], r.header())
	if err != nil || a.status != http.StatusUnauthorized && a.status != http.StatusForbidden {
		return true, challenge{}
	}
	return false, parseChallenge(a.header.Values("WWW-Authenticate"))
}

func (c *Client) request(ctx context.Context, body, authorization string) (*answer, error) {
	header := http.Header{}
	for name, value := range c.o.Headers {
		header.Set(name, value)
	}
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "application/json, text/event-stream")
	if authorization != "" {
		header.Set("Authorization", authorization)
	}
	return c.wire.post(ctx, c.server, []byte(body), header)
}
