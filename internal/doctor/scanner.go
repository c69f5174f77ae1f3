package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Scanner are the facts of a configured scanner that was started.
type Scanner struct {
	Config *config.Scanner
	Err    error         // why it is not ready
	Took   time.Duration // until it was ready

	Version      string
	Phases       []verdict.Phase // nil: all
	NeedsNetwork bool
	Digest       string
	Sandboxed    string // how it is confined; empty: not known
}

// Judges looks at scanners that were started.
func Judges(scanners []Scanner) Report {
	out := make(Report, 0, 2*len(scanners))
	for i := range scanners {
		out = append(out, scanners[i].checks()...)
	}
	return out
}

func (s *Scanner) checks() Report {
	check := func(status Status, do, format string, args ...any) Check {
		return Check{Area: Scanners, Subject: s.Config.Name, Status: status, What: fmt.Sprintf(format, args...), Do: do}
	}
	if s.Err != nil {
		do := "correct what it says, or see --log-level debug; until then what it judges is held back"
		return Report{check(Fail, do, "is not ready: %s", s.Err)}
	}
	network := "needs no network"
	if s.NeedsNetwork {
		network = "CONTENT LEAVES THIS MACHINE"
	}
	what := fmt.Sprintf("ready after %s; version %q; %s; %s", s.Took.Round(time.Millisecond), s.Version, s.Config.Mode, network)
	if s.Sandboxed != "" {
		what += "; sandbox: " + s.Sandboxed
	}
	out := Report{check(OK, "", "%s", what)}
	var missing []string
	for _, phase := range s.Config.Phases {
		if s.Phases != nil && !slices.Contains(s.Phases, phase) {
			missing = append(missing, phase.String())
		}
	}
	if len(missing) > 0 {
		out = append(out, check(Fail, "set its phases to what it judges, and let another scanner judge the rest",
			"does not judge %s, which is configured", strings.Join(missing, ", ")))
	}
	switch {
	case s.Config.Bundled:
	case s.Config.SHA256 == "":
		out = append(out, check(Warn, "write sha256: "+s.Digest+" below its plugin", "whoever replaces its program replaces the scanner"))
	case s.Config.SHA256 != s.Digest:
		out = append(out, check(Fail, "find out who changed it", "the program is not the one whose sha256 is configured"))
	}
	return out
}
