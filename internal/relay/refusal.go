package relay

import (
	"strconv"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/session"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Codes of the relay's own errors, where no tool result can carry them.
const (
	codeExecution   = -32010
	codeBlocked     = -32011
	codeUnavailable = -32013
)

// refusal is an error that the relay tells a client about. Its text is the
// relay's own and quotes nobody: what a server or a scanner said would reach
// the model in the relay's voice.
type refusal struct {
	name   string // the error's name, in data.type
	code   int
	text   string
	scanID string
	phase  verdict.Phase
}

// errorMeta is the member of a tool result's _meta that names the error.
const errorMeta = "mcp-relay/error"

func notFound(text string) refusal {
	return refusal{name: "ToolNotFound", code: protocol.CodeInvalidParams, text: text}
}

func executionFailed(text string) refusal {
	return refusal{name: "ToolExecutionError", code: codeExecution, text: text}
}

func unavailable() refusal {
	return executionFailed("The server is not available; the request was not sent.")
}

// judged returns the refusal for a decision that is not Passed.
func judged(d *scan.Decision, phase verdict.Phase) refusal {
	what := "request"
	if phase == verdict.Response {
		what = "answer"
	}
	if d.Outcome == scan.Unavailable {
		return refusal{
			name: "ScannerUnavailable", code: codeUnavailable, scanID: d.ScanID, phase: phase,
			text: "The security relay could not inspect this " + what + ", so it was held back. Scan id: " + d.ScanID,
		}
	}
	return refusal{
		name: "SecurityBlock", code: codeBlocked, scanID: d.ScanID, phase: phase,
		text: "The security relay blocked this " + what + ". Scan id: " + d.ScanID,
	}
}

// data returns the JSON object that names the error.
func (f *refusal) data() []byte {
	out := append([]byte(`{"type":`), jsonrpc.AppendString(nil, f.name)...)
	if f.scanID != "" {
		out = append(out, `,"scan_id":`...)
		out = jsonrpc.AppendString(out, f.scanID)
		out = append(out, `,"phase":`...)
		out = jsonrpc.AppendString(out, f.phase.String())
	}
	return append(out, '}')
}

// errorObject returns the refusal as a JSON-RPC error object.
func (f *refusal) errorObject() []byte {
	out := strconv.AppendInt([]byte(`{"code":`), int64(f.code), 10)
	out = append(out, `,"message":`...)
	out = jsonrpc.AppendString(out, f.text)
	if f.name != "" {
		out = append(append(out, `,"data":`...), f.data()...)
	}
	return append(out, '}')
}

// toolResult returns the refusal as the result of a tool call, where the model
// sees it (MCP 2025-11-25, tools, error handling).
func (f *refusal) toolResult() []byte {
	out := append([]byte(`{"content":[{"type":"text","text":`), jsonrpc.AppendString(nil, f.text)...)
	out = append(out, `}],"isError":true,"_meta":{"`+errorMeta+`":`...)
	out = append(out, f.data()...)
	return append(out, `}}`...)
}

// refuse answers a request with a refusal, in the shape that its method has
// for it.
func (r *Relay) refuse(req *session.Request, f refusal) {
	part, body := peer.Error, f.errorObject()
	if req.Method() == protocol.ToolsCall && f.code != protocol.CodeInvalidParams {
		part, body = peer.Result, f.toolResult()
	}
	r.answer(req, r.author(part, req.Method(), body))
}

// unsupportedVersion returns the error for a revision that the relay does not
// speak (MCP 2026-07-28, versioning). The version is the client's own word.
func unsupportedVersion(asked string) []byte {
	out := []byte(`{"code":` + strconv.Itoa(protocol.CodeUnsupportedVersion) + `,"message":"unsupported protocol version","data":{"supported":[`)
	for i, v := range protocol.Supported() {
		if i > 0 {
			out = append(out, ',')
		}
		out = jsonrpc.AppendString(out, v)
	}
	out = append(out, `],"requested":`...)
	out = jsonrpc.AppendString(out, asked)
	return append(out, "}}"...)
}

// ErrorObject returns a JSON-RPC error object of the relay's own, for what a
// transport refuses by itself.
func ErrorObject(code int, text string) []byte { return protocolError(code, text) }

// protocolError answers a message that breaks the protocol.
func protocolError(code int, text string) []byte {
	f := refusal{code: code, text: text}
	return f.errorObject()
}
