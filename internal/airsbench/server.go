package airsbench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// ToolName is the one tool of the server.
const ToolName = "read"

const toolDefinition = `{"name":"` + ToolName + `","description":"Reads a page of the wiki.",` +
	`"inputSchema":{"type":"object","properties":{"page":{"type":"string"}},"required":["page"]},` +
	`"annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false}}`

// rpc is a message of which the server and the client here need this much.
type rpc struct {
	ID     *int64          `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// fatal is in the names of pages that the server dies of, while it reads them.
const fatal = "fatal"

// Serve is an MCP server over pipes, with one tool that reads and takes so long
// for it. It works on all calls at the same time.
func Serve(in io.Reader, out io.Writer, work time.Duration) error {
	var mu sync.Mutex
	answer := func(id int64, result string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(out, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":%s}\n", id, result)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m rpc
		if json.Unmarshal(lines.Bytes(), &m) != nil || m.ID == nil {
			continue
		}
		switch m.Method {
		case "initialize":
			answer(*m.ID, `{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"wiki","version":"1"}}`)
		case "tools/list":
			answer(*m.ID, `{"tools":[`+toolDefinition+`]}`)
		case "tools/call":
			var call struct {
				Arguments struct {
					Page string `json:"page"`
				} `json:"arguments"`
			}
			_ = json.Unmarshal(m.Params, &call)
			if strings.Contains(call.Arguments.Page, fatal) {
				killOneself()
			}
			text := jsonrpc.AppendString(nil, "The page "+call.Arguments.Page+" says that the meeting is on Tuesday.")
			time.AfterFunc(work, func() { answer(*m.ID, `{"content":[{"type":"text","text":`+string(text)+`}]}`) })
		default:
			answer(*m.ID, `{}`)
		}
	}
	return lines.Err() //nolint:wrapcheck // of the pipe
}

// killOneself ends the process as a kill from outside does.
func killOneself() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	select {}
}
