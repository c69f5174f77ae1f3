// Command floor is the least that a relay can be: no sessions, no policy, no
// rewriting, and one scan of every answer by another process. What a real relay
// costs is told against it.
//
//	floor [-scan none|grpc] [-http 127.0.0.1:PORT] -- COMMAND ARGS...
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("floor", flag.ExitOnError)
	scan := flags.String("scan", "grpc", "none, or grpc: one unary call to another process with every answer")
	address := flags.String("http", "", "be a Streamable HTTP server at this address instead of using the standard streams")
	serve := flags.String("serve", "", "be the scanner at this socket")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *serve != "":
		return serveScanner(*serve)
	case flags.NArg() == 0:
		return errors.New("give a command to stand before")
	case *scan == "none":
		return stand(*address, flags.Args(), nil)
	case *scan == "grpc":
		scanner, err := startScanner()
		if err != nil {
			return err
		}
		return errors.Join(stand(*address, flags.Args(), scanner), scanner.close())
	}
	return fmt.Errorf("-scan %s: want none or grpc", *scan)
}

// stand relays over the standard streams, or over HTTP when there is an address.
func stand(address string, command []string, s *scanner) error {
	if address == "" {
		return relay(command, s)
	}
	return relayHTTP(address, command, s)
}
