// Package structure holds the tests over the source tree as a whole: which
// package may know which, where content may be cleared to leave the relay, what
// every package and document must have, and what no file may say. It has no code
// of its own.
//
// The tables are data, with a reason on each line. A change that needs a new
// line is a change of the architecture: add the line, say why, and keep the
// arrows pointing one way.
package structure
