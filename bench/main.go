// Command bench measures what an MCP relay costs. See README.md.
package main

import (
	"fmt"
	"io"
	"os"
)

const usage = `usage: bench COMMAND [flags]

  report   measure this relay beside its floor, and hold it to its goals
  compare  measure the targets of a file in turn and print a table
  load     put load on one target: -url URL or -- COMMAND ARGS...
  server   run a fast MCP server over stdio or Streamable HTTP
  pass     null relay: copy stdio to and from a command unread

bench COMMAND -h lists the flags.
`

// streams are the standard streams, which only main opens.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() { os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})) }

func run(args []string, std streams) int {
	commands := map[string]func([]string, streams) error{
		"report": report, "compare": compare, "load": load, "server": serve, "pass": pass,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprint(std.err, usage)
		return 2
	}
	if err := commands[args[0]](args[1:], std); err != nil {
		fmt.Fprintln(std.err, "bench:", err)
		return 1
	}
	return 0
}
