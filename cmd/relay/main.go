// Command relay stands between an MCP client and its MCP servers and has
// everything judged by scanners.
package main

import (
	"os"

	"github.com/mcp-relay/relay/internal/cli"
)

func main() { os.Exit(cli.Main()) }
