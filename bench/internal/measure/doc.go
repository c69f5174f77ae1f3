// Package measure runs scenarios against MCP servers and relays and compares
// them. Every answer is checked byte for byte, so that a fault never shows up as
// speed.
package measure
