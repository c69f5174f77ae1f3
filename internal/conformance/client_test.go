package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
)

// mcpClient is a client that does one thing after the other, in either era, and
// agrees to everything that it is asked.
type mcpClient struct {
	wire   wire
	modern bool
	last   int
}

func newMCPClient(w wire, isModern bool) *mcpClient { return &mcpClient{wire: w, modern: isModern} }

const (
	abilities = `{"roots":{},"sampling":{"tools":{},"context":{}},"elicitation":{"form":{"applyDefaults":true},"url":{}}}`
	itself    = `{"name":"driver","version":"1"}`
)

// metaMember is what a modern request says of its sender.
const metaMember = `"_meta":{"` + versionKey + `":"` + firstModern + `","io.modelcontextprotocol/clientInfo":` + itself +
	`,"io.modelcontextprotocol/clientCapabilities":` + abilities + `}`

// withMeta adds metaMember to params, which have no _meta.
func withMeta(params string) string {
	if params == "{}" || params == "" {
		return "{" + metaMember + "}"
	}
	return "{" + metaMember + "," + params[1:]
}

// refused is a JSON-RPC error.
type refused struct{ object json.RawMessage }

func (e *refused) Error() string { return "refused: " + string(e.object) }

func (c *mcpClient) handshake(ctx context.Context) error {
	if c.modern {
		_, err := c.request(ctx, "server/discover", "{}")
		return err
	}
	if _, err := c.request(ctx, "initialize", `{"protocolVersion":"`+lastLegacy+`","capabilities":`+abilities+`,"clientInfo":`+itself+`}`); err != nil {
		return err
	}
	return c.wire.send([]byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`))
}

// rounds bounds how often one request may be answered with more questions.
const rounds = 8

// request sends a request and answers what it is asked until it has its result.
func (c *mcpClient) request(ctx context.Context, method, params string) (json.RawMessage, error) {
	extra := ""
	for range rounds {
		full := params
		if extra != "" {
			full = params[:len(params)-1] + extra + "}"
		}
		result, err := c.once(ctx, method, full)
		if err != nil {
			return nil, err
		}
		var r struct {
			ResultType    string                     `json:"resultType"`
			InputRequests map[string]json.RawMessage `json:"inputRequests"`
			RequestState  *string                    `json:"requestState"`
		}
		if err := json.Unmarshal(result, &r); err != nil {
			return nil, err
		}
		if !c.modern || r.ResultType != "input_required" {
			return result, nil
		}
		answers := map[string]json.RawMessage{}
		for key, ask := range r.InputRequests {
			answers[key] = reply(open(ask))
		}
		text, err := json.Marshal(answers)
		if err != nil {
			return nil, err
		}
		extra = `,"inputResponses":` + string(text)
		if r.RequestState != nil {
			extra += `,"requestState":` + string(quote(*r.RequestState))
		}
	}
	return nil, errors.New("asked too often")
}

// once sends a request and waits for its response.
func (c *mcpClient) once(ctx context.Context, method, params string) (json.RawMessage, error) {
	c.last++
	id := strconv.Itoa(c.last)
	if c.modern {
		params = withMeta(params)
	}
	if err := c.wire.send([]byte(`{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":` + params + `}`)); err != nil {
		return nil, err
	}
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", method, ctx.Err())
		case frame, ok := <-c.wire.frames():
			if !ok {
				return nil, fmt.Errorf("%s: the connection ended", method)
			}
			e := open(frame)
			switch {
			case e.isRequest():
				answer := `{"jsonrpc":"2.0","id":` + string(e.ID) + `,"result":` + string(reply(e)) + `}`
				if err := c.wire.send([]byte(answer)); err != nil {
					return nil, err
				}
			case e.isResponse() && string(e.ID) == id:
				if len(e.Error) > 0 {
					return nil, &refused{e.Error}
				}
				return e.Result, nil
			}
		}
	}
}

// reply answers a server's request.
func reply(e envelope) json.RawMessage {
	switch e.Method {
	case "elicitation/create":
		return agree(e.Params)
	case "sampling/createMessage":
		return json.RawMessage(`{"role":"assistant","content":{"type":"text","text":"four"},"model":"driver","stopReason":"endTurn"}`)
	case "roots/list":
		return json.RawMessage(`{"roots":[{"uri":"file:///tmp","name":"tmp"}]}`)
	default:
		return json.RawMessage(`{}`)
	}
}

// agree accepts a form with the defaults of its fields.
func agree(params json.RawMessage) json.RawMessage {
	var p struct {
		RequestedSchema struct {
			Properties map[string]struct {
				Type    string          `json:"type"`
				Default json.RawMessage `json:"default"`
			} `json:"properties"`
			Required []string `json:"required"`
		} `json:"requestedSchema"`
	}
	_ = json.Unmarshal(params, &p)
	content := map[string]json.RawMessage{}
	for _, name := range p.RequestedSchema.Required {
		content[name] = map[string]json.RawMessage{
			"boolean": json.RawMessage("true"), "number": json.RawMessage("1"), "integer": json.RawMessage("1"),
		}[p.RequestedSchema.Properties[name].Type]
		if content[name] == nil {
			content[name] = json.RawMessage(`"yes"`)
		}
	}
	for name := range maps.Keys(p.RequestedSchema.Properties) {
		if d := p.RequestedSchema.Properties[name].Default; d != nil {
			content[name] = d
		}
	}
	text, _ := json.Marshal(map[string]any{"action": "accept", "content": content})
	return text
}

// tools lists every tool, by name, with its schema.
func (c *mcpClient) tools(ctx context.Context) (map[string]json.RawMessage, error) {
	result, err := c.request(ctx, "tools/list", "{}")
	if err != nil {
		return nil, err
	}
	var list struct {
		Tools []struct {
			Name        string          `json:"name"`
			InputSchema json.RawMessage `json:"inputSchema"`
		} `json:"tools"`
	}
	if err := json.Unmarshal(result, &list); err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for _, tool := range list.Tools {
		out[tool.Name] = tool.InputSchema
	}
	return out, nil
}

// readFirst lists something and asks for the first of it.
func (c *mcpClient) readFirst(ctx context.Context, list, member, key, get string) error {
	result, err := c.request(ctx, list, "{}")
	if err != nil {
		return err
	}
	var all map[string]json.RawMessage
	var items []map[string]json.RawMessage
	if err := json.Unmarshal(result, &all); err != nil {
		return err
	}
	if err := json.Unmarshal(all[member], &items); err != nil || len(items) == 0 {
		return fmt.Errorf("%s: nothing is listed: %w", list, err)
	}
	_, err = c.request(ctx, get, `{"`+key+`":`+string(items[0][key])+`}`)
	return err
}
