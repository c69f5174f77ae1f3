// Package control lets the person who runs a relay speak to it while it runs:
// ask what it is, and what of a changed configuration file waits for a yes.
//
// Each relay listens on a unix socket of its own, in a directory that is closed
// to others, and takes connections of the same user only. One connection is one
// line of JSON each way. A tool that can write files cannot speak this, which is
// why the yes travels here and not in a file. Who can run programs as the user
// can.
//
// The answers name keys of the configuration and never what stands there.
package control
