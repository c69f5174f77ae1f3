// Package scaffold writes the beginning of a scanner: a module of its own that
// builds, has a configuration, and passes the conformance suite.
//
// The files are templates within the relay, so that `relay plugin new` needs no
// network. A test generates them, and builds and tests what came out: they cannot
// rot.
package scaffold
