// Package scannertest tests scanners.
//
// [Run] is the conformance suite: what the relay expects of every scanner. One
// line in a scanner's own tests is enough:
//
//	func TestConformance(t *testing.T) {
//		scannertest.Run(t, acme.New(), scannertest.Config(`{"words":["hunter2"]}`))
//	}
//
// [New] returns a client for tests of what a scanner says. It speaks to the
// scanner through the real codec, within the process, so that a verdict that the
// wire cannot carry shows as it would in production. [CheckVerdict] tells whether
// the relay would accept a verdict.
//
// `relay plugin check` runs the same suite on a program, in whatever language; both
// are package conformance underneath.
package scannertest
