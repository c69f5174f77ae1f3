// Package cli is the program: its commands, and the wiring of everything else.
// It is the only package that knows the whole.
package cli
