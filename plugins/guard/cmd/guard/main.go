// Command guard serves the embedded scanner as a plugin process of its own.
package main

import (
	"github.com/mcp-relay/relay/plugins/guard"
	"github.com/mcp-relay/relay/scanner"
)

func main() { scanner.Serve(guard.New()) }
