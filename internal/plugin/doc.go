// Package plugin runs scanners: processes of others that judge content. It
// starts them, keeps them running, gives them content under limits, and turns
// whatever happens into a verdict or a failure.
//
// # Trust
//
// A scanner may be broken or hostile, and the content that it is given may have
// been made to break it. go-plugin launches and negotiates; everything that
// protects the relay is here:
//
//   - The child gets a written-out environment, a stdin that is only a lifeline,
//     no descriptors, and its configuration over the connection.
//   - Its binary is hashed through the descriptor that is executed (Linux), must
//     not be writable by others, and must match a declared SHA-256 at every start.
//   - Only a socket in the run directory made for this child, held by a process
//     of its group, is dialled, under mutual TLS. The broker is never opened.
//   - What it writes to stderr is bounded, escaped and logged by us; go-plugin
//     never parses it.
//
// # Life of a scanner
//
// One goroutine owns the state of a Supervisor: starting, configuring, ready,
// draining, stopped, backoff, failed. Everybody else reads an immutable snapshot.
// A process that runs is a generation. A generation that ends is replaced after a
// jittered pause; five ends in ten minutes that no content explains, or an error
// that time will not cure, end in failed. Reconfigure starts and configures the
// next generation before the old one is drained.
//
// # Whose fault
//
// Every failure names its cause, because policy treats an outage and a failure
// that content caused differently, and the author of content may be hostile.
// When in doubt it is the content.
//
// A content that was alone in the scanner when it crashed is convicted: it is not
// given to that binary and configuration again. When several were in it, each is
// a suspect. A suspect is judged again, at once if time allows or when it comes
// back, in a process of its own, alone: there a crash convicts it and an answer
// clears it. No two servers share such a process, and there are four at most for
// each scanner, for which servers take turns; three at most serve servers that are
// judged there for what they did. So a pill never gets through and a bystander
// gets its verdict.
//
// Slots, breakers and crashes are accounted per downstream server. A server
// whose content crashed the scanner is judged in that separate process from then
// on, and after further crashes not at all, for ten minutes each; its failures
// count as caused by content in that time, whatever they look like.
package plugin
