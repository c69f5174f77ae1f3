package oauth

import (
	"context"
	"slices"
)

// note is what a running relay leaves for the next login: what the server asked
// for when it refused a request. There is no secret in it, and nothing is done
// with it before a person has seen it.
type note struct {
	Metadata string   `json:"resource_metadata,omitzero"`
	Scopes   []string `json:"scopes,omitzero"` // of the last challenge with 401
	StepUp   []string `json:"step_up,omitzero"`
}

// readNote returns the note, or an empty one.
func (s *store) readNote() note {
	var n note
	if found, err := s.read(s.name+".note", &n); !found || err != nil {
		return note{}
	}
	n.Scopes, n.StepUp = union(nil, n.Scopes...), union(nil, n.StepUp...)
	return n
}

// leaveNote writes down what a server asked for. Nothing is written where it
// was noted before.
func (s *store) leaveNote(ctx context.Context, stepUp bool, ch challenge) error {
	old := s.readNote()
	n := old
	if len(ch.metadata) <= maxURL && ch.metadata != "" {
		n.Metadata = ch.metadata
	}
	if stepUp {
		n.StepUp = union(n.StepUp, ch.scopes...)
	} else if len(ch.scopes) > 0 {
		n.Scopes = ch.scopes
	}
	if n.Metadata == old.Metadata && slices.Equal(n.Scopes, old.Scopes) && slices.Equal(n.StepUp, old.StepUp) {
		return nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	return s.write(s.name+".note", n)
}
