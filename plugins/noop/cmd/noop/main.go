// Command noop serves the noop scanner as a program of its own.
package main

import (
	"github.com/mcp-relay/relay/plugins/noop"
	"github.com/mcp-relay/relay/scanner"
)

func main() { scanner.Serve(noop.New()) }
