package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mcp-relay/relay/internal/clientfile"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/doctor"
	"github.com/mcp-relay/relay/internal/oauth"
)

type doctorOptions struct {
	runOptions

	json         bool
	canary       bool
	expectHidden []string
}

func newDoctorCommand(std streams) *cobra.Command {
	o := &doctorOptions{runOptions: runOptions{std: std}}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with an installation, and with --canary prove what is judged",
		Long: "doctor starts the configured scanners and servers, looks at everything that they\n" +
			"depend on and says what is wrong and what to do about it. It exits with 1 when a\n" +
			"check failed.\n\n" +
			"With --canary it starts no configured server: a built-in one takes the place of\n" +
			"each and sends texts through every phase. It prints which scanner judged what, and\n" +
			"exits with 1 when anything went unjudged. The configured scanners do work: what\n" +
			"they charge for scans is due.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case o.canary:
				return runCanary(cmd.Context(), o)
			case len(o.expectHidden) > 0:
				return invalid{errExpectHidden}
			default:
				return runDoctor(cmd.Context(), o)
			}
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "configuration file (default: see docs/configuration.md)")
	f.StringVar(&o.level, "log-level", "error", "debug, info, warn or error")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.canary, "canary", false, "prove with a built-in server that every phase of every server is judged")
	f.StringArrayVar(&o.expectHidden, "expect-hidden", nil, "with --canary: a server that may have hidden_mode (may be repeated)")
	return cmd
}

var errExpectHidden = errors.New("--expect-hidden goes with --canary")

// doctorTimeout bounds all looks together, and clockTimeout one at a clock.
const (
	doctorTimeout = 3 * time.Minute
	clockTimeout  = 5 * time.Second
)

var errUnwell = errors.New("a check failed; see above")

func runDoctor(ctx context.Context, o *doctorOptions) error {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	report, err := examine(ctx, o)
	if err != nil {
		return err
	}
	if err := o.print(report); err != nil {
		return err
	}
	if report.Failed() {
		return errUnwell
	}
	return nil
}

func (o *doctorOptions) print(report doctor.Report) error {
	if !o.json {
		return report.Print(o.std.out) //nolint:wrapcheck // it says what failed
	}
	return printJSON(o.std.out, struct {
		Failed bool          `json:"failed"`
		Checks doctor.Report `json:"checks"`
	}{report.Failed(), report})
}

// examine looks at everything, that which starts nothing first.
func examine(ctx context.Context, o *doctorOptions) (doctor.Report, error) {
	cfg, err := config.Load(configOptions(o.config))
	if err != nil {
		return doctor.Unusable(err), nil
	}
	home, _ := os.UserHomeDir() // without one there is nothing to look at below it
	report := doctor.Policy(cfg, time.Now())
	report = append(report, doctor.Access(dependencies(cfg))...)
	report = append(report, doctor.Credentials(cfg)...)
	report = append(report, doctor.Keychain(wantsLogin(cfg), oauth.HasKeychain()), tokensCheck(cfg))
	report = append(report, doctor.Pins(cfg, home)...)
	report = append(report, doctor.Bypasses(clientfile.All(clientPlaces()), ownNames())...)
	report = append(report, doctor.Relays(ownNames())...)
	report = append(report, storageChecks(cfg)...)
	report = append(report, installedChecks()...)
	if err := runnable(cfg); err != nil {
		// What cannot be started is not tried.
		for text := range strings.SplitSeq(err.Error(), "\n") {
			report = append(report, doctor.Check{Area: doctor.Configuration, Status: doctor.Fail, What: text})
		}
		return report, nil
	}
	started, err := startAll(ctx, o, cfg)
	if err != nil {
		return nil, err
	}
	report = append(report, started...)
	return append(report, clockChecks(ctx, cfg)...), nil
}

// ownNames are the base names under which a client's configuration or a command
// line may know this program.
func ownNames() []string {
	names := []string{"relay", "mcp-relay"}
	if exe, err := os.Executable(); err == nil {
		names = append(names, strings.ToLower(strings.TrimSuffix(filepath.Base(exe), ".exe")))
	}
	return names
}

// wantsLogin reports whether a server may want the user to log in.
func wantsLogin(cfg *config.Config) bool {
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		if !s.Disabled && s.Type != config.TypeStdio && len(s.Headers) == 0 {
			return true
		}
	}
	return false
}
