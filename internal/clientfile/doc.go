// Package clientfile knows where MCP clients keep what they are told: which servers
// they start, and which of them they trust. Whoever can write these files has a
// client reach servers beside the relay. It reads none of them.
package clientfile
