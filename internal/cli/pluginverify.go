package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/pluginstore"
	"github.com/mcp-relay/relay/internal/printable"
)

// pluginVerifyOptions are the flags of plugin verify.
type pluginVerifyOptions struct {
	std  streams
	name string
	json bool
}

func newPluginVerifyCommand(std streams) *cobra.Command {
	o := &pluginVerifyOptions{std: std}
	cmd := &cobra.Command{
		Use:   "verify [NAME[@VERSION]]",
		Short: "Compare installed scanners with the checksums that were accepted",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.name = args[0]
			}
			return runPluginVerify(o)
		},
	}
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// verified is what verify says of one scanner.
type verified struct {
	Name     string                `json:"name"`
	Version  string                `json:"version"`
	SHA256   string                `json:"sha256"`
	OK       bool                  `json:"ok"`
	Script   bool                  `json:"script"`
	Problems []pluginstore.Problem `json:"problems"`
}

func runPluginVerify(o *pluginVerifyOptions) error {
	s, err := openStore()
	if err != nil {
		return err
	}
	all, err := s.List()
	if err != nil {
		return invalid{err}
	}
	name, version, _ := strings.Cut(o.name, "@")
	list, damaged := []verified{}, false
	for i := range all {
		p := &all[i]
		if o.name != "" && (p.Name != name || version != "" && p.Version != version) {
			continue
		}
		v := verified{Name: p.Name, Version: p.Version, SHA256: p.Checksum(), Script: p.Script, Problems: s.Verify(p)}
		v.OK = len(v.Problems) == 0
		damaged = damaged || !v.OK
		list = append(list, v)
	}
	if o.name != "" && len(list) == 0 {
		return invalid{errors.New("it is not installed: relay plugin list shows what is")}
	}
	if err := o.print(list); err != nil {
		return err
	}
	if damaged {
		return errors.New("what is not ok does not start: remove it with relay plugin remove and install it again")
	}
	return nil
}

func (o *pluginVerifyOptions) print(list []verified) error {
	if o.json {
		return printJSON(o.std.out, list)
	}
	w := tabwriter.NewWriter(o.std.out, 0, 0, 2, ' ', 0)
	for _, v := range list {
		state := "ok"
		if !v.OK {
			state = "NOT OK"
		}
		fmt.Fprintf(w, "%s@%s\t%s\t%s\n", v.Name, v.Version, v.SHA256, state)
		for _, p := range v.Problems {
			fmt.Fprintf(w, "\t%s %s\t\n", printable.String(p.Path), printable.Escape(p.Problem, maxLine))
		}
		if v.Script {
			fmt.Fprintln(o.std.err, v.Name+": "+scriptNote)
		}
	}
	return w.Flush() //nolint:wrapcheck // of standard output
}
