//go:build !linux

package cli

// programFile returns nothing: an upgrade may put another file into the place of
// this program while it runs, and a bundled scanner would be started from that.
func programFile() string { return "" }
