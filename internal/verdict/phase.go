package verdict

import "fmt"

// Phase says where content was taken.
type Phase uint8

// The phases. The zero value is not a phase.
const (
	PhaseUnspecified Phase = iota
	// Definition is a catalogue: tools, prompts, resources or templates.
	Definition
	// Request is what a client sends to a server.
	Request
	// Response is what a server answers, judged with the request it answers.
	Response
	// ServerRequest is what a server asks of a client.
	ServerRequest
	// Notification is a message that nobody answers, in either direction.
	Notification
)

// Phases lists every phase in the order in which documents name them.
var Phases = []Phase{Definition, Request, Response, ServerRequest, Notification}

var phaseNames = [...]string{"unspecified", "definition", "request", "response", "server_request", "notification"}

// String returns the phase's name as configuration and audit records spell it.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// ParsePhase is the inverse of String. It refuses "unspecified".
func ParsePhase(name string) (Phase, error) {
	for _, p := range Phases {
		if p.String() == name {
			return p, nil
		}
	}
	return PhaseUnspecified, fmt.Errorf("unknown phase %q: use definition, request, response, server_request or notification", name)
}
