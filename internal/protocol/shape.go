package protocol

import (
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Message returns the shape of any MCP message: which members, at which place,
// are the protocol's own. A reader must not take a differently cased spelling
// for one of them, because some servers' parsers do (Go's encoding/json among
// them) and would then run another call than the one that was judged.
//
// Members that hold the user's data (arguments, structuredContent, schemas,
// log data) are free inside.
var Message = sync.OnceValue(func() *jsonrpc.Shape {
	content := contentBlock()
	params := object(meta(),
		"name", "arguments", "uri", "cursor", "level", "protocolVersion", "requestId", "reason",
		"progressToken", "progress", "total", "message", "logger", "data", "taskId", "requestState", "inputResponses",
		"systemPrompt", "maxTokens", "temperature", "stopSequences", "includeContext", "metadata",
		"requestedSchema", "mode", "url", "elicitationId", "toolChoice")
	params.Members["ref"] = object(nil, "type", "name", "uri")
	params.Members["argument"] = object(nil, "name", "value")
	params.Members["context"] = object(nil, "arguments")
	params.Members["clientInfo"] = object(nil, "name", "version", "title", "icons", "websiteUrl", "description")
	params.Members["capabilities"] = object(nil, "tools", "prompts", "resources", "logging", "completions", "roots", "sampling",
		"elicitation", "tasks", "experimental", "extensions")
	params.Members["task"] = object(nil, "ttl")
	params.Members["messages"] = list(object(nil, "role", "content"))
	params.Members["tools"] = list(tool())

	result := object(meta(),
		"isError", "structuredContent", "nextCursor", "protocolVersion", "instructions", "resultType", "description",
		"ttlMs", "cacheScope", "requestState", "inputRequests", "taskId", "status", "model", "stopReason", "role", "action",
		"roots", "supportedVersions")
	result.Members["content"] = &jsonrpc.Shape{Elem: content, Members: content.Members}
	result.Members["tools"] = list(tool())
	result.Members["prompts"] = list(prompt())
	result.Members["resources"] = list(resource())
	result.Members["resourceTemplates"] = list(resource())
	result.Members["contents"] = list(resource())
	result.Members["messages"] = list(message(content))
	result.Members["completion"] = object(nil, "values", "total", "hasMore")
	result.Members["task"] = object(meta(), "taskId", "status", "statusMessage", "ttl", "pollInterval", "createdAt", "lastUpdatedAt")
	result.Members["serverInfo"] = object(nil, "name", "version", "title", "icons", "websiteUrl", "description")
	result.Members["capabilities"] = params.Members["capabilities"]

	envelope := object(nil, "jsonrpc", "id", "method")
	envelope.Members["params"] = params
	envelope.Members["result"] = result
	envelope.Members["error"] = object(nil, "code", "message", "data")
	return envelope
})

func contentBlock() *jsonrpc.Shape {
	block := object(meta(), "type", "text", "data", "mimeType", "uri", "name", "title", "description", "size", "icons",
		"id", "input", "toolUseId", "structuredContent", "isError")
	block.Members["annotations"] = annotations()
	block.Members["resource"] = resource()
	// Tool results inside sampling messages hold content blocks of their own.
	block.Members["content"] = &jsonrpc.Shape{Elem: block}
	return block
}

func tool() *jsonrpc.Shape {
	t := object(meta(), "name", "title", "description", "inputSchema", "outputSchema", "icons")
	t.Members["annotations"] = object(nil, "title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
	t.Members["execution"] = object(nil, "taskSupport")
	return t
}

func prompt() *jsonrpc.Shape {
	p := object(meta(), "name", "title", "description", "icons")
	p.Members["arguments"] = list(object(nil, "name", "title", "description", "required"))
	return p
}

func resource() *jsonrpc.Shape {
	r := object(meta(), "uri", "uriTemplate", "name", "title", "description", "mimeType", "size", "text", "blob", "icons")
	r.Members["annotations"] = annotations()
	return r
}

func message(content *jsonrpc.Shape) *jsonrpc.Shape {
	m := object(nil, "role")
	m.Members["content"] = &jsonrpc.Shape{Elem: content, Members: content.Members}
	return m
}

func annotations() *jsonrpc.Shape { return object(nil, "audience", "priority", "lastModified") }

func meta() *jsonrpc.Shape {
	return object(nil, "progressToken", "io.modelcontextprotocol/related-task",
		"io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientInfo",
		"io.modelcontextprotocol/clientCapabilities", "io.modelcontextprotocol/logLevel",
		"io.modelcontextprotocol/subscriptionId")
}

func object(meta *jsonrpc.Shape, names ...string) *jsonrpc.Shape {
	members := make(map[string]*jsonrpc.Shape, len(names)+1)
	for _, n := range names {
		members[n] = nil
	}
	if meta != nil {
		members["_meta"] = meta
	}
	return &jsonrpc.Shape{Members: members}
}

func list(elem *jsonrpc.Shape) *jsonrpc.Shape { return &jsonrpc.Shape{Elem: elem} }
