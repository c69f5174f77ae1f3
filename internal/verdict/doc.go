// Package verdict holds what the relay and its scanners say about content: the
// content itself, where it came from, the verdict, and the failure that stands
// where a verdict is missing. It validates verdicts against the content they
// judge, tells which items of a catalogue a block names, and applies redactions.
//
// The package is pure: no I/O, no clock, no goroutines. Its values may be read
// by many goroutines at once.
package verdict
