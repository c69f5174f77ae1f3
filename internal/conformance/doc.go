// Package conformance proves what the relay promises about messages: the
// official conformance suite through the relay and against it, bytes that stay
// as they were, nothing that gets out unjudged, a soak, and a chaos of scanners
// that fail in every way. It holds nothing but tests. Those that need the official
// programs run when make conformance has installed them, soak and chaos when make
// is told to; the others run with every go test.
package conformance
