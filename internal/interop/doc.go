// Package interop tests the relay with programs that others wrote: official
// servers and the official inspector from npm, and mcp-go's client. It holds
// nothing but tests, which need the programs: make interop installs them.
package interop
