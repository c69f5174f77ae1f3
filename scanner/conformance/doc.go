// Package conformance checks whether a scanner keeps the contract: what the relay
// expects of every scanner, in whatever language it is written.
//
// [Program] checks a program, over the same start, handshake and encrypted
// connection as the relay's. [Scanner] checks a Go value within the process. Both
// run the checks that [Checks] lists, and yield one [Result] for each: what was
// expected, what happened, and the section of docs/protocol.md that says so.
//
// A program is foreign code. It gets an environment of its own, with an empty
// home and without the caller's variables, and it and the processes of its group
// are ended before the check returns. It is not kept from files and the network
// unless [Options].Around does that.
//
// Authors of scanners in Go use package scannertest, which runs these checks in
// go test; everybody else uses `relay plugin check`.
package conformance
