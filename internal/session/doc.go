// Package session keeps what belongs to one client connection: its identity,
// the requests that wait for an answer, and the one way back to the client.
//
// Every request is answered at most once; a cancelled request is not answered
// at all (MCP, cancellation). All methods are safe for concurrent use.
package session
