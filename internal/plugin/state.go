package plugin

import (
	"errors"
	"fmt"
)

// State is where a scanner stands.
type State uint8

// The states. A scan waits in Starting, Configuring and Backoff, as long as its
// time lasts, and fails at once in Draining, Stopped and Failed.
const (
	Starting    State = iota // the process starts
	Configuring              // it gets its configuration
	Ready                    // it takes scans
	Draining                 // it finishes scans and ends
	Stopped                  // Stop was called
	Backoff                  // it ended, and is started again in a moment
	Failed                   // it is not started again before Reconfigure
)

var stateNames = [...]string{"starting", "configuring", "ready", "draining", "stopped", "backoff", "failed"}

// String returns the state's name.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

func (s State) final() bool { return s == Draining || s == Stopped || s == Failed }

// snapshot is an immutable snapshot of a supervisor.
type snapshot struct {
	state      State
	generation *generation   // set when ready
	err        error         // why the last run ended or did not come about
	changed    chan struct{} // closed when another snapshot takes this one's place
}

// reason explains why no scan is possible.
func (s *snapshot) reason() error {
	if s.err != nil {
		return s.err
	}
	if s.state == Draining || s.state == Stopped {
		return ErrStopped
	}
	return errors.New("the scanner is " + s.state.String())
}
