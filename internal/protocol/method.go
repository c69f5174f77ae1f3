package protocol

import (
	"slices"
	"strings"
	"sync"
)

// Methods that the relay treats by name. Every other method is relayed like
// any message: see package relay.
const (
	Initialize         = "initialize"
	Discover           = "server/discover"
	Ping               = "ping"
	ToolsList          = "tools/list"
	ToolsCall          = "tools/call"
	PromptsList        = "prompts/list"
	PromptsGet         = "prompts/get"
	ResourcesList      = "resources/list"
	ResourcesRead      = "resources/read"
	TemplatesList      = "resources/templates/list"
	Subscribe          = "resources/subscribe"
	Unsubscribe        = "resources/unsubscribe"
	Listen             = "subscriptions/listen"
	CompletionComplete = "completion/complete"
	SetLevel           = "logging/setLevel"

	CreateMessage = "sampling/createMessage" // this and the next two: servers ask; in the modern era in results
	Elicit        = "elicitation/create"
	ListRoots     = "roots/list"

	TasksGet    = "tasks/get"
	TasksResult = "tasks/result" // of 2025-11-25
	TasksList   = "tasks/list"   // of 2025-11-25
	TasksCancel = "tasks/cancel"
	TasksUpdate = "tasks/update" // of the modern era's extension

	Initialized          = "notifications/initialized"
	Cancelled            = "notifications/cancelled"
	Progress             = "notifications/progress"
	LogMessage           = "notifications/message"
	ToolsListChanged     = "notifications/tools/list_changed"
	PromptsListChanged   = "notifications/prompts/list_changed"
	ResourcesListChanged = "notifications/resources/list_changed"
	ResourceUpdated      = "notifications/resources/updated"
	RootsListChanged     = "notifications/roots/list_changed"
	Acknowledged         = "notifications/subscriptions/acknowledged"
	ElicitationComplete  = "notifications/elicitation/complete"
	TaskStatus           = "notifications/tasks/status" // of 2025-11-25
	TaskChanged          = "notifications/tasks"        // the same in the modern era's extension
)

// Error codes of JSON-RPC 2.0, section 5.1.
const (
	CodeParseError     = -32700
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternalError  = -32603
)

// Error codes of MCP.
const (
	// CodeResourceNotFound is of the legacy era; the modern one says
	// CodeInvalidParams.
	CodeResourceNotFound = -32002
	// CodeURLElicitationRequired is of 2025-11-25 only.
	CodeURLElicitationRequired = -32042
	CodeHeaderMismatch         = -32020
	CodeMissingCapability      = -32021
	CodeUnsupportedVersion     = -32022
)

// LogLevels are the protocol's log levels, the most talkative first.
var LogLevels = [...]string{"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}

// LogLevel reports whether level is one of LogLevels.
func LogLevel(level string) bool { return slices.Contains(LogLevels[:], level) }

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

// methods maps every method that MCP names, folded, to itself.
var methods = sync.OnceValue(func() map[string]string {
	names := []string{
		Initialize, Discover, Ping, ToolsList, ToolsCall, PromptsList, PromptsGet, ResourcesList, ResourcesRead, TemplatesList,
		Subscribe, Unsubscribe, Listen, CompletionComplete, SetLevel, CreateMessage, Elicit, ListRoots,
		TasksGet, TasksResult, TasksList, TasksCancel, TasksUpdate,
		Initialized, Cancelled, Progress, LogMessage, ToolsListChanged, PromptsListChanged, ResourcesListChanged, ResourceUpdated,
		RootsListChanged, Acknowledged, ElicitationComplete, TaskStatus, TaskChanged,
	}
	table := make(map[string]string, len(names))
	for _, name := range names {
		table[fold(name)] = name
	}
	return table
})

// Disguised reports whether method is another spelling of a method that MCP
// names: a lenient server would run what the relay did not recognize. It looks
// at case and at white space and slashes around the name. Compatibility forms
// of letters (NFKC) need no look: a method that has any is not [WellFormed].
func Disguised(method string) bool {
	if len(method) > 2*maxMethod {
		return false // WellFormed refuses it
	}
	names := methods()
	if names[method] == method {
		return false // most are spelled right, in lower case
	}
	known, found := names[fold(method)]
	return found && known != method
}

// fold maps all spellings of a method to one. Upper case comes first: some
// letters have two lower forms, of which one is not ASCII.
func fold(method string) string {
	return strings.ToLower(strings.ToUpper(strings.Trim(strings.TrimSpace(method), "/")))
}
