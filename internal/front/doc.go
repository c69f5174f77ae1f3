// Package front turns bytes from clients into messages for the relay, and what
// the relay answers into bytes. It knows transports and nothing of what
// messages mean.
//
// [Stdio] and [StdioSink] serve the one client that started the relay.
// [Handler] serves many clients over HTTP, in both eras: it makes a [Client] at
// the [Host] for each session of the legacy era and for each request of the
// modern one. [Server] runs a Handler on listeners, with the deadlines and
// limits that belong to connections.
//
// No method of a sink waits for a client. What waits for a slow one is bounded,
// stream by stream; a stream that exceeds its bound is cut off, and never
// carries on with something missing.
package front
