// Package server is a fast MCP server to put behind a relay under test.
//
// It speaks both eras: a request whose _meta names protocol 2026-07-28 is
// answered statelessly, anything else by the initialize-based rules.
package server

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mcp-relay/relay/bench/internal/jscan"
	"github.com/mcp-relay/relay/bench/internal/payload"
)

// Modern is the stateless protocol version.
const Modern = "2026-07-28"

// Legacy are the initialize-based versions that the server accepts.
var Legacy = []string{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}

// BaseTools is how many tools there are besides the generated ones.
const BaseTools = 3

const (
	codeParse       = -32700
	codeMethod      = -32601
	codeParams      = -32602
	codeHeader      = -32020
	codeUnsupported = -32022
)

// Options configure a Server.
type Options struct {
	Tools  int    // generated tools besides echo, blob and sleep
	Prefix string // put before every tool name
	Era    string // "dual" (default), "legacy" or "modern"
}

// Server holds the prepared answers. It is safe for concurrent use.
type Server struct {
	opt                     Options
	listLegacy, listModern  []byte
	initTail, discoverReply []byte
}

const (
	serverInfo = `{"name":"mcpbench","version":"1.0.0"}`
	modernMeta = `"_meta":{"io.modelcontextprotocol/serverInfo":` + serverInfo + `}`
)

// New prepares a server.
func New(opt Options) *Server {
	s := &Server{opt: opt}
	tools := toolList(opt)
	s.listLegacy = fmt.Appendf(nil, `{"tools":%s}`, tools)
	s.listModern = fmt.Appendf(nil, `{"resultType":"complete","ttlMs":60000,"cacheScope":"public","tools":%s,%s}`, tools, modernMeta)
	s.initTail = []byte(`,"capabilities":{"tools":{}},"serverInfo":` + serverInfo + `}`)
	versions := []string{Modern}
	if opt.Era != "modern" {
		versions = append(versions, Legacy...)
	}
	s.discoverReply = fmt.Appendf(nil,
		`{"resultType":"complete","supportedVersions":%s,"capabilities":{"tools":{}},"ttlMs":3600000,"cacheScope":"public",%s}`,
		list(versions...), modernMeta)
	return s
}

// list is the JSON array of strings that need no escapes.
func list(words ...string) string { return `["` + strings.Join(words, `","`) + `"]` }

// Request is the part of a message that the server acts on. Its fields point
// into the message.
type Request struct {
	ID      []byte // nil for a notification
	Method  string
	Params  []byte
	Version string // protocol version in _meta, or ""
	Tool    string // name in params, without the prefix
	name    string // name in params as sent
	err     *rpcError
}

type rpcError struct {
	code int
	msg  string
	data string
}

// Parse reads a message. Errors are kept and answered by Handle.
func (s *Server) Parse(msg []byte) (r Request) {
	if err := jscan.Object(msg, func(k, v []byte) bool {
		switch string(k) {
		case "id":
			r.ID = v
		case "method":
			r.Method, _ = jscan.String(v)
		case "params":
			r.Params = v
		}
		return true
	}); err != nil {
		r.ID, r.err = []byte("null"), &rpcError{codeParse, "Parse error", ""}
		return r
	}
	if r.Params != nil {
		_ = jscan.Object(r.Params, func(k, v []byte) bool {
			switch string(k) {
			case "name":
				r.name, _ = jscan.String(v)
			case "_meta":
				r.Version, _ = jscan.String(jscan.Get(v, "io.modelcontextprotocol/protocolVersion"))
			}
			return true
		})
	}
	r.Tool = r.name
	if p := s.opt.Prefix; p != "" {
		if len(r.name) <= len(p) || r.name[:len(p)] != p {
			r.Tool = ""
		} else {
			r.Tool = r.name[len(p):]
		}
	}
	return r
}

// Slow reports whether handling will block, so that the stdio loop must not.
func (r *Request) Slow() bool { return r.Tool == "sleep" }

// Handle appends the response line (without newline) to dst. The result is
// empty for notifications.
func (s *Server) Handle(r *Request, dst []byte) []byte {
	if r.err != nil {
		return appendError(dst, r.ID, r.err)
	}
	if r.ID == nil || r.Method == "" { // a notification or a response
		return dst
	}
	start := len(dst)
	dst = append(dst, `{"jsonrpc":"2.0","id":`...)
	dst = append(dst, r.ID...)
	dst = append(dst, `,"result":`...)
	dst, e := s.result(r, dst)
	if e != nil {
		return appendError(dst[:start], r.ID, e)
	}
	return append(dst, '}')
}

func appendError(dst, id []byte, e *rpcError) []byte {
	dst = fmt.Appendf(dst, `{"jsonrpc":"2.0","id":%s,"error":{"code":%d,"message":%q`, id, e.code, e.msg)
	if e.data != "" {
		dst = fmt.Appendf(dst, `,"data":%s`, e.data)
	}
	return append(dst, "}}"...)
}

func (s *Server) result(r *Request, dst []byte) ([]byte, *rpcError) {
	modern := r.Version != ""
	if modern && (r.Version != Modern || s.opt.Era == "legacy") {
		supported := list(slices.Concat([]string{Modern}, Legacy)...)
		return dst, &rpcError{codeUnsupported, "Unsupported protocol version", fmt.Sprintf(`{"supported":%s,"requested":%q}`, supported, r.Version)}
	}
	if !modern && s.opt.Era == "modern" {
		return dst, &rpcError{codeParams, "_meta must carry io.modelcontextprotocol/protocolVersion", ""}
	}
	switch r.Method {
	case "initialize":
		if modern {
			break
		}
		want, _ := jscan.String(jscan.Get(r.Params, "protocolVersion"))
		got := Legacy[0]
		for _, v := range Legacy {
			if v == want {
				got = v
			}
		}
		dst = fmt.Appendf(dst, `{"protocolVersion":%q`, got)
		return append(dst, s.initTail...), nil
	case "ping":
		return append(dst, "{}"...), nil
	case "server/discover":
		if modern {
			return append(dst, s.discoverReply...), nil
		}
	case "tools/list":
		if modern {
			return append(dst, s.listModern...), nil
		}
		return append(dst, s.listLegacy...), nil
	case "tools/call":
		return s.call(r, dst, modern)
	}
	return dst, &rpcError{codeMethod, "Method not found", ""}
}

func (s *Server) call(r *Request, dst []byte, modern bool) ([]byte, *rpcError) {
	args := jscan.Get(r.Params, "arguments")
	num := func(key string) uint64 {
		n, _ := strconv.ParseFloat(string(jscan.Get(args, key)), 64)
		return uint64(max(n, 0))
	}
	dst = append(dst, '{')
	if modern {
		dst = append(dst, `"resultType":"complete",`+modernMeta+`,`...)
	}
	dst = append(dst, `"content":[{"type":"text","text":`...)
	switch r.Tool {
	case "echo":
		text := jscan.Get(args, "text")
		if len(text) == 0 || text[0] != '"' {
			return dst, &rpcError{codeParams, "echo: text must be a string", ""}
		}
		dst = append(dst, text...)
	case "blob":
		size := num("size")
		if size > 64<<20 {
			return dst, &rpcError{codeParams, "blob: size too large", ""}
		}
		dst = append(dst, '"')
		dst = append(payload.Append(dst, int(size), num("seed")), '"')
	case "sleep":
		time.Sleep(time.Duration(min(num("ms"), 60_000)) * time.Millisecond)
		dst = append(dst, '"')
		dst = append(payload.Append(dst, payload.MinSize, num("seed")), '"')
	default:
		return dst, &rpcError{codeParams, "Unknown tool: " + r.name, ""}
	}
	return append(dst, `}],"isError":false}`...), nil
}

var areas = []string{"issues", "pull_requests", "files", "branches", "releases", "workflows", "deployments", "alerts", "users", "projects"}
var verbs = []string{"list", "get", "search", "create", "update", "delete", "export", "compare"}

// toolList is the JSON array of tools. The generated ones take about 1 KB each,
// which is what published servers' definitions weigh.
func toolList(opt Options) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	fmt.Fprintf(&b, `{"name":"%secho","description":"Return the given text unchanged.","inputSchema":{"type":"object","properties":{"text":{"type":"string","description":"Text to return"}},"required":["text"]}}`, opt.Prefix)
	fmt.Fprintf(&b, `,{"name":"%sblob","description":"Return a text of the given number of bytes.","inputSchema":{"type":"object","properties":{"size":{"type":"integer","description":"Bytes of text"},"seed":{"type":"integer","description":"Number that makes the text unique"}},"required":["size"]}}`, opt.Prefix)
	fmt.Fprintf(&b, `,{"name":"%ssleep","description":"Answer after the given number of milliseconds.","inputSchema":{"type":"object","properties":{"ms":{"type":"integer"},"seed":{"type":"integer"}},"required":["ms"]}}`, opt.Prefix)
	for i := range opt.Tools {
		area, verb := areas[i%len(areas)], verbs[i/len(areas)%len(verbs)]
		fmt.Fprintf(&b, `,{"name":"%[1]s%[2]s_%[3]s_%03[4]d","title":"%[2]s %[3]s","description":"%[2]s %[3]s in the connected workspace. Use this tool when the user asks about %[3]s by name, label or date. Results are ordered by last change, newest first, and paged: pass the cursor of the previous answer to get the next page. Requires read access to the repository; does not change anything unless dry_run is false.","inputSchema":{"type":"object","properties":{"owner":{"type":"string","description":"Account that owns the repository"},"repo":{"type":"string","description":"Name of the repository without the owner"},"query":{"type":"string","description":"Filter in the search syntax, for example: label:bug state:open"},"per_page":{"type":"integer","minimum":1,"maximum":100,"default":30,"description":"Results per page"},"cursor":{"type":"string","description":"Cursor from the previous answer"},"dry_run":{"type":"boolean","default":true}},"required":["owner","repo"],"additionalProperties":false},"annotations":{"readOnlyHint":true,"openWorldHint":false}}`,
			opt.Prefix, verb, area, i)
	}
	b.WriteByte(']')
	return b.Bytes()
}
