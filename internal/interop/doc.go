// Package interop tests the relay with programs that others wrote: official
// servers, the official inspector and clients on the official SDKs, and mcp-go's
// client. It holds nothing but tests, which need the programs: make interop
// installs them.
package interop
