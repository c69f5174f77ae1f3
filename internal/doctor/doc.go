// Package doctor looks at an installation of the relay and says what is wrong
// with it, before somebody finds out in the middle of a call.
//
// Every look is a [Check]: what was found, whether that is well, and what to do
// about it. Most looks are functions from facts to checks: whoever wires the relay
// gathers the facts of servers and scanners, because nobody else can start them.
// The others read the file system, the process table and the clocks of peers.
// None changes anything, and none prints a secret.
package doctor
