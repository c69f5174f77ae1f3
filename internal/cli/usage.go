package cli

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/spf13/cobra"
)

// explain has a command, and those below it, say what is wrong with a command
// line and what was probably meant.
func explain(cmd *cobra.Command) {
	check := cmd.Args
	cmd.SuggestionsMinimumDistance = slips
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			return nil
		}
		var near []string
		if len(args) > 0 && cmd.HasSubCommands() {
			near = cmd.SuggestionsFor(args[0])
		}
		return unusable(cmd, err, near)
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var unknown interface{ GetSpecifiedName() string }
		if !errors.As(err, &unknown) || cmd.Flags().Lookup(unknown.GetSpecifiedName()) != nil {
			return unusable(cmd, err, nil)
		}
		// The library finds the nearest among commands only.
		flags := &cobra.Command{SuggestionsMinimumDistance: slips}
		for _, m := range longFlag.FindAllStringSubmatch(cmd.Flags().FlagUsages(), -1) {
			flags.AddCommand(&cobra.Command{Use: m[1], Run: func(*cobra.Command, []string) {}})
		}
		return unusable(cmd, err, flags.SuggestionsFor("--"+unknown.GetSpecifiedName()))
	})
	for _, sub := range cmd.Commands() {
		explain(sub)
	}
}

// slips is how many letters of a word may be wrong.
const slips = 2

// longFlag finds the names of flags in what is said about them.
var longFlag = regexp.MustCompile(`(?m)^ +(?:-\w, )?(--[\w-]+)`)

// unusable is the error for a command line that cannot be used.
func unusable(cmd *cobra.Command, err error, near []string) error {
	hint := "see " + cmd.CommandPath() + " --help"
	if len(near) > 0 {
		hint = "did you mean " + near[0] + "? " + hint
	}
	return invalid{fmt.Errorf("%w\n    hint: %s", err, hint)}
}
