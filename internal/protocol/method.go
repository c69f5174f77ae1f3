package protocol

// Methods that the relay treats by name. Every other method is relayed like
// any message: see package relay.
const (
	Initialize         = "initialize"
	Ping               = "ping"
	ToolsList          = "tools/list"
	ToolsCall          = "tools/call"
	PromptsList        = "prompts/list"
	PromptsGet         = "prompts/get"
	ResourcesList      = "resources/list"
	ResourcesRead      = "resources/read"
	TemplatesList      = "resources/templates/list"
	CompletionComplete = "completion/complete"
	SetLevel           = "logging/setLevel"

	Initialized          = "notifications/initialized"
	Cancelled            = "notifications/cancelled"
	Progress             = "notifications/progress"
	LogMessage           = "notifications/message"
	ToolsListChanged     = "notifications/tools/list_changed"
	PromptsListChanged   = "notifications/prompts/list_changed"
	ResourcesListChanged = "notifications/resources/list_changed"
	RootsListChanged     = "notifications/roots/list_changed"
)

// JSON-RPC error codes that the relay sends (JSON-RPC 2.0 section 5.1).
const (
	CodeParseError     = -32700
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternalError  = -32603
)

// LogLevel reports whether level is one of the protocol's log levels.
func LogLevel(level string) bool {
	switch level {
	case "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency":
		return true
	default:
		return false
	}
}
