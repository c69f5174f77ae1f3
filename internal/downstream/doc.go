// Package downstream connects the relay to one configured MCP server: a child
// process that speaks on its standard streams ([Stdio]), a Streamable HTTP
// endpoint ([HTTP]), or the old HTTP+SSE transport ([SSE]).
//
// An [Instance] is one connection, in the era that SetProtocolVersion says. It
// is pure transport: it gives calls ids of its own, matches answers to calls,
// hands what the server says on the stream of a call to its [peer.Caller] and
// everything else to a [peer.Handler], and changes no byte of any message. The
// handshake, or the probe for the era, and the meaning of messages are the
// relay's.
//
// What it guarantees, whatever the server does:
//
//   - It sends nothing but [peer.Cleared] content, and no call twice, except
//     that a call which an HTTP server refused with 401 or 403, and so did not
//     run, is sent once more when an [Authorizer] has something better to show.
//   - Every call ends exactly once, with an answer or with an error of package
//     peer.
//   - An answer reaches the call that asked for it or nobody. What nobody asked
//     for, what comes twice or late, and what is not a message that everybody
//     reads alike is counted as an anomaly and not forwarded.
//   - Memory is bounded by MaxMessage, and a server that stops reading or
//     writing harms its own calls only.
//   - Headers, tokens and messages go to the configured origin and nowhere else,
//     and no word of a server's HTTP answer that is not a message gets into an
//     error.
package downstream
