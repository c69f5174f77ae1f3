package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// maxMessage bounds what the demo server reads in one line.
const maxMessage = 1 << 20

// Serve is an MCP server on two streams (MCP 2025-11-25). It returns at the
// end of input.
func (f *File) Serve(in io.Reader, out io.Writer) error {
	frames := jsonrpc.NewReader(in, maxMessage)
	for {
		frame, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if _, long := errors.AsType[*jsonrpc.TooLongError](err); long {
			continue // the next line may be one that it can read
		}
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		m, err := jsonrpc.Parse(frame, nil)
		if err != nil || m.Kind() != jsonrpc.Request {
			continue
		}
		answer := append(f.answer(&m), '\n')
		if _, err := out.Write(answer); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
}

func (f *File) answer(m *jsonrpc.Message) []byte {
	switch m.Method {
	case protocol.Initialize:
		return jsonrpc.AppendResult(nil, m.ID, []byte(
			`{"protocolVersion":"`+protocol.LatestLegacy+`","capabilities":{"tools":{}},"serverInfo":{"name":"demo","version":"1"}}`))
	case protocol.Ping:
		return jsonrpc.AppendResult(nil, m.ID, []byte("{}"))
	case protocol.ToolsList:
		list := struct {
			Tools []json.RawMessage `json:"tools"`
		}{}
		for i := range f.Tools {
			list.Tools = append(list.Tools, f.Tools[i].Definition)
		}
		if body, err := json.Marshal(list); err == nil {
			return jsonrpc.AppendResult(nil, m.ID, body)
		}
	case protocol.ToolsCall:
		target := protocol.TargetOf(m.Method, m.Params)
		for i := range f.Tools {
			if f.Tools[i].Name() == target.Value {
				return jsonrpc.AppendResult(nil, m.ID, f.Tools[i].Result)
			}
		}
	default:
	}
	return jsonrpc.AppendError(nil, m.ID, []byte(`{"code":-32601,"message":"no such method or tool"}`))
}
