package airstest

import (
	"net/http"
	"slices"
	"time"
)

// Record is one request that the emulator received.
type Record struct {
	Time   time.Time
	Method string
	Path   string
	Query  string
	Header http.Header
	Body   []byte
	Status int // what it answered
}

// Requests returns what was received so far, in the order of completion.
func (s *Server) Requests() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// Take returns what was received so far and forgets it.
func (s *Server) Take() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.log
	s.log = nil
	return taken
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
