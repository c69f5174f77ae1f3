// Package demo is a small MCP server whose tools and answers come from a file,
// and the script of calls that shows what the relay does with them.
package demo
