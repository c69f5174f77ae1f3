package peer

import "errors"

// Reply is how a call to a downstream ended. Exactly one field is set.
type Reply struct {
	Result []byte // raw JSON of the result
	Error  []byte // raw JSON of the error object that the server sent
	Err    error  // there is no answer; one of the errors of this package, or one that wraps it
}

// Why a call has no answer.
var (
	// ErrGone: the connection ended before the answer came.
	ErrGone = errors.New("the server is gone")
	// ErrBusy: the server does not read what it is sent; the call was not sent.
	ErrBusy = errors.New("the server does not take more requests")
	// ErrBadAnswer: the answer is not a message that everybody reads alike.
	ErrBadAnswer = errors.New("the server's answer is not a valid message")
	// ErrTooLong: the answer is longer than the limit.
	ErrTooLong = errors.New("the server's answer is too long")
	// ErrStatus: an HTTP server answered with a status that is no answer.
	ErrStatus = errors.New("the server refused the request")
	// ErrOldTransport: an HTTP server answered the first request like one that
	// speaks the transport of 2024-11-05. It goes with ErrStatus.
	ErrOldTransport = errors.New("the server may speak HTTP+SSE")
	// ErrNotSent: the call never reached the server.
	ErrNotSent = errors.New("the server cannot be reached")
)
