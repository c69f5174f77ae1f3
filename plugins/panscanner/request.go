package panscanner

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

const (
	methodCall = "tools/call"
	methodList = "tools/list"

	maxID     = 100 // characters of a session or transaction id
	maxTarget = 512 // bytes of a tool's name or URI
)

// The request of the scan API, as far as panscanner uses it.
type wireRequest struct {
	TransactionID string        `json:"transaction_id,omitzero"`
	SessionID     string        `json:"session_id,omitzero"`
	Profile       wireProfile   `json:"ai_profile"`
	Metadata      wireMetadata  `json:"metadata"`
	Contents      []wireContent `json:"contents"` // only the last is judged: always one
}

type wireProfile struct {
	ID   string `json:"profile_id,omitzero"`
	Name string `json:"profile_name,omitzero"`
}

type wireMetadata struct {
	AppName string `json:"app_name,omitzero"`
	AppUser string `json:"app_user,omitzero"`
	AIModel string `json:"ai_model,omitzero"`

	Agent wireAgent `json:"agent_meta,omitzero"`
}

type wireAgent struct {
	ID      string `json:"agent_id,omitzero"`
	Version string `json:"agent_version,omitzero"`
	ARN     string `json:"agent_arn,omitzero"`
}

type wireContent struct {
	ToolEvent toolEvent `json:"tool_event"`
}

// toolEvent is what one request judges. Input and Output are JSON texts.
type toolEvent struct {
	Metadata toolMetadata `json:"metadata"`
	Input    string       `json:"input,omitzero"`
	Output   string       `json:"output,omitzero"`
}

type toolMetadata struct {
	Ecosystem string `json:"ecosystem"`
	Method    string `json:"method"`
	Server    string `json:"server_name"`
	Tool      string `json:"tool_invoked,omitzero"`
}

// eventFor returns the tool event of a content, without input and output.
// Methods other than tools/call are presented as calls of what they name,
// since the service knows no others.
func eventFor(o scanner.Origin) toolEvent {
	server, tool := clip(o.Server), clip(o.Target)
	if server == "" {
		server = "unknown" // the service requires one
	}
	if tool == "" {
		tool = clip(o.Method)
	}
	return toolEvent{Metadata: toolMetadata{Ecosystem: "mcp", Method: methodCall, Server: server, Tool: tool}}
}

// body encodes the request for one tool event.
func (c *config) body(o scanner.Origin, event toolEvent) ([]byte, error) {
	return json.Marshal(c.request(o, event), jsontext.AllowInvalidUTF8(true))
}

// key identifies what is asked, whoever asks it in whatever session: everything
// of the request but the ids of session and call.
func (c *config) key(o scanner.Origin, event toolEvent) ([sha256.Size]byte, error) {
	o.Session, o.Call = "", ""
	body, err := c.body(o, event)
	return sha256.Sum256(body), err
}

func (c *config) request(o scanner.Origin, event toolEvent) wireRequest {
	user := c.appUser
	if user == "" {
		user = clip(o.Principal)
	}
	return wireRequest{
		TransactionID: identifier(o.Call),
		SessionID:     identifier(o.Session),
		Profile:       c.aiProfile(),
		Metadata:      wireMetadata{AppName: c.appName, AppUser: user, AIModel: c.aiModel, Agent: c.agent},
		Contents:      []wireContent{{ToolEvent: event}},
	}
}

// identifier makes an id fit the service's limit; one that does not is replaced
// by its hash, so that it still tells sessions and calls apart.
func identifier(id string) string {
	if utf8.ValidString(id) && utf8.RuneCountInString(id) <= maxID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// clip makes a foreign name valid UTF-8 of a bounded length.
func clip(name string) string {
	if len(name) > maxTarget {
		name = name[:runeBoundary(name, maxTarget)]
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}

// runeBoundary returns the greatest position up to i that does not lie inside a
// character of s.
func runeBoundary(s string, i int) int {
	for back := 0; back < utf8.UTFMax && i > 0 && i < len(s) && !utf8.RuneStart(s[i]); back++ {
		i--
	}
	return i
}
