package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/printable"
	"github.com/mcp-relay/relay/internal/process"
)

// The rules of the user interface. Standard output is data: the MCP stream of
// run, a schema, a table. Everything said to a person goes to standard error.
// Errors are lower-case, begin with the program's name and say what to do.
// Foreign text is printed through package printable, always.

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // something went wrong while running
	exitInvalid = 2 // the command line or the configuration cannot be used
)

// invalid is an error in what the user gave: the program did not start.
type invalid struct{ error }

func (e invalid) Unwrap() error { return e.error }

// Main runs the program and returns its exit code.
func Main() int {
	// Before the first secret is read: what the relay starts runs as the same
	// user and could look into it.
	if err := process.HardenSelf(); err != nil {
		fmt.Fprintln(os.Stderr, "relay: other processes of this user can read this one:", err)
	}
	if code, ok := helper(os.Args[1:]); ok {
		return code
	}
	// A client that closes its end must not end the relay before it has ended
	// what it started. Ignoring the signal would be inherited; a handler is not.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
}

// streams are the standard streams of the program.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

func run(ctx context.Context, args []string, std streams) int {
	root := newRootCommand(std)
	root.SetArgs(args)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(std.err, "relay:", lines(err.Error()))
	if _, bad := errors.AsType[invalid](err); bad {
		return exitInvalid
	}
	return exitFailed
}

func newRootCommand(std streams) *cobra.Command {
	opts := &runOptions{std: std}
	root := &cobra.Command{
		Use:   "relay",
		Short: "A relay between MCP clients and servers that has everything judged by scanners",
		Long: "relay stands between an MCP client and its MCP servers. It shows the client one\n" +
			"endpoint and has every tool definition, request and answer judged by scanners,\n" +
			"each in a process of its own.",
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A client starts the relay with a pipe; a person who says nothing gets help.
			if isTerminal(std.in) && opts.listen == "" {
				return cmd.Help()
			}
			return runRelay(cmd.Context(), opts)
		},
	}
	opts.flags(root)
	root.AddCommand(
		newRunCommand(std), newValidateCommand(std), newSchemaCommand(std), newToolsCommand(std),
		newPluginCommand(std), newTokenCommand(std), newLoginCommand(std), newLogoutCommand(std),
		newReloadCommand(std), newDemoCommand(std), newDoctorCommand(std), newAuditCommand(std),
		newExplainCommand(std), newReportCommand(std), newRulesCommand(std), newEvalCommand(std), newScanCommand(std),
		newVersionCommand(std),
	)
	explain(root)
	return root
}

// lines makes a text of several lines printable, line by line.
func lines(text string) string {
	all := strings.Split(text, "\n")
	for i := range all {
		all[i] = printable.Escape(all[i], maxLine)
	}
	return strings.Join(all, "\n")
}

// maxLine bounds one line of an error message, in bytes.
const maxLine = 4096
