package canary

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// stepWait bounds one step. A scanner may take its time, and be asked again.
const stepWait = 45 * time.Second

// Converse goes through all steps. The error is about the conversation as a whole:
// a step that is refused is what a canary is for.
func (c *Client) Converse(ctx context.Context) error {
	hello := func() error {
		if c.modern {
			_, err := c.step(ctx, protocol.Discover, "", "")
			return err
		}
		c.last++
		params := `{"protocolVersion":"` + protocol.LatestLegacy + `","capabilities":` + clientSkills + `,"clientInfo":` + clientInfo + `}`
		if err := c.write(jsonrpc.AppendRequest(nil, jsonrpc.IntID(c.last), protocol.Initialize, []byte(params))); err != nil {
			return err
		}
		if _, err := c.answer(ctx, jsonrpc.IntID(c.last)); err != nil {
			return err
		}
		return c.write(jsonrpc.AppendNotification(nil, protocol.Initialized, nil))
	}
	if err := hello(); err != nil {
		return fmt.Errorf("the handshake: %w", err)
	}
	names := map[string]string{}
	for _, list := range []struct{ method, member, own string }{
		{protocol.ToolsList, "tools", tool},
		{protocol.PromptsList, "prompts", prompt},
		{protocol.ResourcesList, "resources", ""},
		{protocol.TemplatesList, "resourceTemplates", ""},
	} {
		name, err := c.offered(ctx, list.method, list.member, list.own)
		if err != nil {
			return fmt.Errorf("%s: %w", list.method, err)
		}
		names[list.own] = name
	}
	for _, v := range []Variant{Plain, Bad} {
		if err := c.round(ctx, names[tool], names[prompt], v); err != nil {
			return err
		}
	}
	return nil
}

// errNotOffered says that there is nothing to go on with: what is always fit to be
// offered was not, however long it was waited for.
var errNotOffered = errors.New("what the built-in server lists is not offered")

// offered returns under which name the list has an item of ours; empty: it is to
// have none. A server that is slow to start is not in the first list.
func (c *Client) offered(ctx context.Context, method, member, own string) (string, error) {
	for deadline := time.Now().Add(stepWait); ; {
		m, err := c.step(ctx, method, "", "")
		if err != nil || own == "" {
			return "", err
		}
		if name := published(m.Result, member, own); name != "" {
			return name, nil
		}
		if time.Now().After(deadline) {
			return "", errNotOffered
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(listAgain):
		}
	}
}

// listAgain is how long it is waited before a list is asked for again.
const listAgain = 200 * time.Millisecond

// published finds under which name an item is offered; empty: it is not.
func published(result []byte, member, own string) string {
	items, _ := jsonrpc.Member(result, member)
	for item := range jsonrpc.Elements(items) {
		if name := jsonrpc.StringMember(item, "name"); strings.HasSuffix(name, own) {
			return name
		}
	}
	return ""
}

func (c *Client) step(ctx context.Context, method, members, more string) (jsonrpc.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, stepWait)
	defer cancel()
	return c.request(ctx, method, members, more)
}

// round sends one variant to every place beyond the lists.
func (c *Client) round(ctx context.Context, toolName, promptName string, v Variant) error {
	text := func(step string) string { return string(jsonrpc.AppendString(nil, c.run.text(number(step), v))) }
	quoted := func(s string) string { return string(jsonrpc.AppendString(nil, s)) }
	call := func(do string) string { return `"name":` + quoted(toolName) + `,"arguments":{"do":` + quoted(do) + `}` }
	ask := func(method string) string { return call(doAsk + method + " " + word(v)) }
	get := func(members string) string { return `"name":` + quoted(promptName) + `,"arguments":{` + members + `}` }
	complete := func(name, value string) string {
		return `"ref":{"type":"ref/prompt","name":` + quoted(promptName) + `},"argument":{"name":` + quoted(name) + `,"value":` + value + `}`
	}
	uri := resource
	if v == Bad {
		uri = poisoned
	}
	c.variant = v
	for _, s := range []struct{ method, members, more string }{
		{protocol.ToolsCall, `"name":` + quoted(toolName) + `,"arguments":{"text":` + text("tools/call") + `}`, ""},
		{protocol.PromptsGet, get(`"text":` + text("prompts/get")), ""},
		{protocol.ResourcesRead, `"uri":` + quoted(resource), `,"canary/text":` + text("resources/read")},
		{protocol.CompletionComplete, complete("x", text("completion/complete")), ""},
		{protocol.ToolsCall, call(doAnswer + word(v)), ""},
		{protocol.ToolsCall, call(doFail + word(v)), ""},
		{protocol.PromptsGet, get(`"do":"` + word(v) + `"`), ""},
		{protocol.ResourcesRead, `"uri":` + quoted(uri), ""},
		{protocol.CompletionComplete, complete(word(v), `"x"`), ""},
		{protocol.ToolsCall, ask(protocol.Elicit), ""},
		{protocol.ToolsCall, ask(protocol.CreateMessage), ""},
		{protocol.ToolsCall, ask(protocol.ListRoots), ""},
		{protocol.ToolsCall, call(doTell + word(v)), ""},
	} {
		if _, err := c.step(ctx, s.method, s.members, s.more); err != nil {
			return fmt.Errorf("%s: %w", s.method, err)
		}
	}
	return c.replies(ctx, call, v)
}

// replies has the server ask plain questions, which it is given bad answers to:
// in the round above a bad question never reached the client.
func (c *Client) replies(ctx context.Context, call func(do string) string, v Variant) error {
	if v == Plain {
		return nil
	}
	for _, method := range []string{protocol.Elicit, protocol.CreateMessage, protocol.ListRoots} {
		if _, err := c.step(ctx, protocol.ToolsCall, call(doAsk+method+" "+word(Plain)), ""); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
	}
	return nil
}
