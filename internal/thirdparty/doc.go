// Package thirdparty tests the relay with scanners of others: one in a Go module
// of its own outside of this repository, which imports what we publish and
// nothing else, and the one in Python. Both are built, checked, named in a
// configuration, and have to block a call. It holds nothing but tests.
package thirdparty
