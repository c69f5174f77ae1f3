// Command airsbench measures calls through the relay with the emulator of the
// Prisma AIRS scan API.
//
//	make airs-bench
package main

import (
	"os"

	"github.com/mcp-relay/relay/internal/airsbench"
)

func main() { os.Exit(airsbench.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
