package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"
)

// The operations of a [Request].
const (
	OpStatus  = "status"  // what the relay is
	OpPending = "pending" // what the file changes that the relay has not taken over
	OpReload  = "reload"  // take the file over, if it is the one of the digest
)

// Request is what a person asks.
type Request struct {
	Op     string `json:"op"`
	Digest string `json:"digest,omitempty"`
}

// Response is a relay's answer. Error is set when there is no other.
type Response struct {
	Status  *Status  `json:"status,omitempty"`
	Pending *Pending `json:"pending,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// Status says which relay answers.
type Status struct {
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Config  string    `json:"config"` // path of the file
	Since   time.Time `json:"since"`
	// Reloads counts how often it took a changed file over.
	Reloads int `json:"reloads"`
}

// Pending is what of the file as it is now the relay has not taken over.
type Pending struct {
	// Digest is of the file; it is what a yes is about.
	Digest  string   `json:"digest"`
	Changes []Change `json:"changes"`
	// Problems say why the file cannot be used at all.
	Problems []string `json:"problems,omitempty"`
}

// Change is a difference, by the path of its key.
type Change struct {
	Path   string `json:"path"`
	Effect string `json:"effect"`
}

// Bounds of the two lines, in bytes.
const (
	maxRequest  = 4 << 10
	maxResponse = 1 << 20
)

// errRequest says that a line is no request.
var errRequest = errors.New("not a request: one line with op status, pending or reload")

// parseRequest reads the line that a client sent.
func parseRequest(line []byte) (Request, error) {
	var r Request
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || d.More() {
		return Request{}, errRequest
	}
	switch r.Op {
	case OpStatus, OpPending, OpReload:
		return r, nil
	default:
		return Request{}, errRequest
	}
}
