// Package downstream connects the relay to one configured MCP server: a child
// process that speaks on its standard streams ([Stdio]), or a Streamable HTTP
// endpoint ([HTTP]).
//
// An [Instance] is one connection. It is pure transport: it gives calls ids of
// its own, matches answers to calls, hands everything else that the server
// says to a [peer.Handler], and changes no byte of any message. The handshake
// and the meaning of messages are the relay's.
//
// What it guarantees, whatever the server does:
//
//   - It sends nothing but [peer.Cleared] content, and no call twice.
//   - Every call ends exactly once, with an answer or with an error of package
//     peer.
//   - An answer reaches the call that asked for it or nobody. What nobody asked
//     for, what comes twice or late, and what is not a message that everybody
//     reads alike is counted as an anomaly and not forwarded.
//   - Memory is bounded by MaxMessage, and a server that stops reading or
//     writing harms its own calls only.
package downstream
