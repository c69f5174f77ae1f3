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

// maxMethod bounds a method's name, in bytes.
const maxMethod = 128

// WellFormed reports whether method can be the name of one: a path of plain
// words. A name that holds a sentence would carry text past the scanners, who
// judge what a message says and not what it is called.
func WellFormed(method string) bool {
	if method == "" || len(method) > maxMethod {
		return false
	}
	for _, r := range method {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case r == '/', r == '_', r == '-', r == '.', r == '$', r == ':':
		default:
			return false
		}
	}
	return true
}
