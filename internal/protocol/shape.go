package protocol

import (
	"sync"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Message returns the shape of any MCP message of any revision: which members,
// at which place, are the protocol's own. A reader must not take a differently
// cased spelling for one of them, because some servers' parsers do (Go's
// encoding/json among them) and would then run another call than the one that
// was judged.
//
// Members that hold the user's data (arguments, structuredContent, schemas,
// log data, what a form was filled with) are free inside. A message does not say
// which request a result answers, so an object called content is free in a
// result: see [CheckAnswer].
var Message = sync.OnceValue(func() *jsonrpc.Shape { return newShapes().envelope() })

// sampled is the shape of the result of sampling/createMessage.
var sampled = sync.OnceValue(func() *jsonrpc.Shape {
	s := newShapes()
	result := object(s.meta, "role", "model", "stopReason", "resultType")
	result.Members["content"] = oneOrMany(s.content)
	return result
})

// CheckAnswer checks the result with which a client answers a server's request
// of the given method more closely than [Message] can: one that holds a content
// block. The error is a *jsonrpc.ParseError.
func CheckAnswer(method string, result []byte) error {
	if method != CreateMessage {
		return nil
	}
	return jsonrpc.Validate(result, sampled())
}

// shapes are the parts that occur in several places.
type shapes struct {
	info, capabilities, meta, related              *jsonrpc.Shape
	icons, annotations, content, resource, message *jsonrpc.Shape
	tool, filter, params, result, err              *jsonrpc.Shape
}

func newShapes() *shapes {
	s := &shapes{}
	s.icons = list(object(nil, "src", "mimeType", "sizes", "theme"))
	s.annotations = object(nil, "audience", "priority", "lastModified")
	s.info = s.titled(object(nil, "version", "websiteUrl"))
	s.capabilities = capabilities()
	s.related = object(nil, "taskId")
	s.meta = object(nil, "progressToken", MetaVersion, MetaLogLevel, MetaSubscription)
	s.meta.Members[MetaInfo], s.meta.Members[MetaServerInfo] = s.info, s.info
	s.meta.Members[MetaCapabilities] = s.capabilities
	s.meta.Members[MetaRelatedTask] = s.related
	s.resource = s.titled(object(s.meta, "uri", "uriTemplate", "mimeType", "size", "text", "blob"))
	s.resource.Members["annotations"] = s.annotations
	s.content = s.contentBlock()
	s.message = object(s.meta, "role")
	s.message.Members["content"] = oneOrMany(s.content)
	s.tool = s.toolDefinition()
	s.filter = object(nil, "toolsListChanged", "promptsListChanged", "resourcesListChanged", "resourceSubscriptions", "taskIds")
	s.params, s.result = object(s.meta), object(s.meta)
	s.err = s.errorObject()
	s.fillParams()
	s.fillResult()
	return s
}

func (s *shapes) envelope() *jsonrpc.Shape {
	envelope := object(nil, "jsonrpc", "id", "method")
	envelope.Members["params"] = s.params
	envelope.Members["result"] = s.result
	envelope.Members["error"] = s.err
	return envelope
}

// fillParams names what the params of some request or notification have.
func (s *shapes) fillParams() {
	add(s.params,
		"name", "arguments", "uri", "cursor", "level", "protocolVersion", "requestId", "reason",
		"progressToken", "progress", "total", "message", "logger", "data", "requestState",
		"systemPrompt", "maxTokens", "temperature", "stopSequences", "includeContext", "metadata",
		"requestedSchema", "mode", "url", "elicitationId")
	m := s.params.Members
	m["ref"] = object(nil, "type", "name", "uri", "title")
	m["argument"] = object(nil, "name", "value")
	m["context"] = object(nil, "arguments")
	m["clientInfo"] = s.info
	m["capabilities"] = s.capabilities
	m["task"] = object(nil, "ttl")
	m["messages"] = list(s.message)
	m["modelPreferences"] = object(nil, "costPriority", "speedPriority", "intelligencePriority")
	m["modelPreferences"].Members["hints"] = list(object(nil, "name"))
	m["tools"] = list(s.tool)
	m["toolChoice"] = object(nil, "mode")
	m["notifications"] = s.filter
	m["inputResponses"] = &jsonrpc.Shape{Values: s.result}
	s.addTask(s.params)
}

// fillResult names what some result has.
func (s *shapes) fillResult() {
	add(s.result,
		"isError", "structuredContent", "nextCursor", "protocolVersion", "instructions", "description",
		"resultType", "ttlMs", "cacheScope", "requestState", "supportedVersions",
		"model", "stopReason", "role", "action")
	m := s.result.Members
	m["content"] = list(s.content)
	m["tools"] = list(s.tool)
	prompt := s.titled(object(s.meta))
	prompt.Members["arguments"] = list(object(nil, "name", "title", "description", "required"))
	m["prompts"] = list(prompt)
	m["resources"] = list(s.resource)
	m["resourceTemplates"] = list(s.resource)
	m["contents"] = list(s.resource)
	m["messages"] = list(s.message)
	m["completion"] = object(nil, "values", "total", "hasMore")
	m["roots"] = list(object(s.meta, "uri", "name"))
	m["serverInfo"] = s.info
	m["capabilities"] = s.capabilities
	task := object(s.meta)
	s.addTask(task)
	m["task"] = task
	m["tasks"] = list(task)
	s.addTask(s.result)
}

// addTask names what a task has: of 2025-11-25, and of the extension, where it
// also holds what it ended with and what it wants to know.
func (s *shapes) addTask(to *jsonrpc.Shape) {
	add(to, "taskId", "status", "statusMessage", "createdAt", "lastUpdatedAt", "ttl", "pollInterval", "ttlMs", "pollIntervalMs")
	request := object(nil, "method")
	request.Members["params"] = s.params
	to.Members["inputRequests"] = &jsonrpc.Shape{Values: request}
	to.Members["result"] = s.result
	to.Members["error"] = s.err
}

func (s *shapes) contentBlock() *jsonrpc.Shape {
	block := s.titled(object(s.meta, "type", "text", "data", "mimeType", "uri", "size",
		"id", "input", "toolUseId", "structuredContent", "isError"))
	block.Members["annotations"] = s.annotations
	block.Members["resource"] = s.resource
	// Tool results inside sampling messages hold content blocks of their own.
	block.Members["content"] = list(block)
	return block
}

func (s *shapes) toolDefinition() *jsonrpc.Shape {
	t := s.titled(object(s.meta, "inputSchema", "outputSchema"))
	t.Members["annotations"] = object(nil, "title", "readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
	t.Members["execution"] = object(nil, "taskSupport")
	return t
}

// errorObject is an error with the data of those that MCP defines.
func (s *shapes) errorObject() *jsonrpc.Shape {
	data := object(nil, "supported", "requested")
	data.Members["requiredCapabilities"] = s.capabilities
	data.Members["elicitations"] = list(s.params)
	e := object(nil, "code", "message")
	e.Members["data"] = data
	return e
}

// titled adds what everything has that people are shown.
func (s *shapes) titled(to *jsonrpc.Shape) *jsonrpc.Shape {
	add(to, "name", "title", "description")
	to.Members["icons"] = s.icons
	return to
}

func capabilities() *jsonrpc.Shape {
	c := object(nil, "logging", "completions", "experimental", "extensions")
	for _, name := range []string{"tools", "prompts", "resources", "roots"} {
		c.Members[name] = object(nil, "listChanged", "subscribe")
	}
	c.Members["sampling"] = object(nil, "tools", "context")
	c.Members["elicitation"] = object(nil, "form", "url")
	requests := object(nil)
	requests.Members["tools"] = object(nil, "call")
	requests.Members["sampling"] = object(nil, "createMessage")
	requests.Members["elicitation"] = object(nil, "create")
	c.Members["tasks"] = object(nil, "list", "cancel")
	c.Members["tasks"].Members["requests"] = requests
	return c
}

func object(meta *jsonrpc.Shape, names ...string) *jsonrpc.Shape {
	s := &jsonrpc.Shape{Members: make(map[string]*jsonrpc.Shape, len(names)+1)}
	add(s, names...)
	if meta != nil {
		s.Members["_meta"] = meta
	}
	return s
}

func add(to *jsonrpc.Shape, names ...string) {
	for _, n := range names {
		to.Members[n] = nil
	}
}

func list(elem *jsonrpc.Shape) *jsonrpc.Shape { return &jsonrpc.Shape{Elem: elem} }

func oneOrMany(elem *jsonrpc.Shape) *jsonrpc.Shape {
	return &jsonrpc.Shape{Elem: elem, Members: elem.Members}
}
