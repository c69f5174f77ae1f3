// Command panscanner is the Prisma AIRS scanner as a program of its own.
package main

import (
	"github.com/mcp-relay/relay/plugins/panscanner"
	"github.com/mcp-relay/relay/scanner"
)

func main() { scanner.Serve(panscanner.New()) }
