package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/printable"
)

// Unusable returns the checks for a configuration that could not be loaded.
func Unusable(err error) Report {
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		return Report{{Area: Configuration, Status: Fail, What: err.Error(), Do: "run relay validate"}}
	}
	out := make(Report, 0, len(problems))
	for _, p := range problems {
		out = append(out, diagnostic(Fail, p))
	}
	return out
}

func diagnostic(s Status, d config.Diagnostic) Check {
	hint := d.Hint
	d.Hint = ""
	return Check{Area: Configuration, Status: s, What: d.String(), Do: hint}
}

// Policy looks at a configuration for what is allowed and weakens protection,
// and for what no longer means anything. now is when.
func Policy(cfg *config.Config, now time.Time) Report {
	out := Report{{Area: Configuration, Subject: cfg.Path, Status: OK, What: fmt.Sprintf("valid: %d servers, %d scanners",
		len(cfg.Servers), len(cfg.Relay.Scanners))}}
	for _, w := range cfg.Warnings {
		out = append(out, diagnostic(Warn, w))
	}
	warn := func(subject, do, format string, args ...any) {
		out = append(out, Check{Area: Configuration, Subject: subject, Status: Warn, What: fmt.Sprintf(format, args...), Do: do})
	}
	for _, p := range cfg.Relay.AllowUnscanned {
		warn("", "remove it from relay.allow_unscanned and give the phase to a scanner",
			"%s may pass unjudged where no scanner enforces it", p)
	}
	if cfg.Relay.AllowSelfEdit {
		warn("", "remove relay.allow_self_edit", "calls may name the relay's own files: an agent can edit its guard")
	}
	if cfg.Relay.Audit.Disabled {
		warn("", "remove relay.audit.disabled", "there is no audit record: nobody can tell afterwards what was judged")
	}
	if cfg.Relay.HTTP.Enabled && cfg.Relay.HTTP.Auth == config.AuthNone {
		warn("", "remove relay.http.auth: none", "everybody who reaches %s may use the relay", cfg.Relay.HTTP.Listen)
	}
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		switch {
		case s.Disabled:
		case s.Hidden && !warned(cfg, s.Name):
			warn(s.Name, "remove hidden_mode, or use an exception for the finding that is in the way",
				"hidden_mode: nothing of this server is judged")
		case s.HiddenRefused:
			warn(s.Name, "remove hidden_mode from the server's block",
				"asks for hidden_mode, which relay.allow_hidden refuses: it is judged")
		}
		if slices.Contains(cfg.Relay.Overlap, s.Name) && !s.Disabled && !s.Hidden {
			warn(s.Name, "take it out of relay.overlap unless it may see whatever the client may send",
				"relay.overlap: calls that only read reach it before their verdict")
		}
		if s.InheritEnv && !s.Disabled {
			warn(s.Name, "name the variables that it needs in env", "gets the relay's whole environment, secrets included")
		}
	}
	for i := range cfg.Relay.Scanners {
		policyOf(&cfg.Relay.Scanners[i], warn)
	}
	for i := range cfg.Relay.Exceptions {
		exception(&cfg.Relay.Exceptions[i], now, warn)
	}
	return out
}

// warned reports whether the loader has warned of a server's hidden_mode already.
func warned(cfg *config.Config, server string) bool {
	return slices.ContainsFunc(cfg.Warnings, func(d config.Diagnostic) bool {
		return strings.HasSuffix(d.Key, server+".hidden_mode")
	})
}

type warner func(subject, do, format string, args ...any)

func policyOf(s *config.Scanner, warn warner) {
	if s.Mode == config.ModeObserve {
		warn(s.Name, "set mode: enforce when relay report shows that it can be relied on",
			"only observes: what it finds is recorded, and passes")
	}
	if s.OnError == config.PolicyAllow {
		warn(s.Name, "set on_error: block, or fallback with a scanner that needs no network",
			"on_error: allow: while it is out, everything passes unjudged")
	}
	if s.OnContentError == config.PolicyAllow {
		warn(s.Name, "remove on_content_error", "content that makes it fail passes; its author can see to that")
	}
	for i := range s.Overrides {
		o := &s.Overrides[i]
		if o.Mode != "" && o.Mode != config.ModeEnforce {
			warn(s.Name, "keep it only as long as it is needed", "an override switches it to %s for %s", o.Mode, scope(o))
		}
		if o.OnError == config.PolicyAllow {
			warn(s.Name, "keep it only as long as it is needed", "an override sets on_error: allow for %s", scope(o))
		}
	}
}

// scope says what an override is for.
func scope(o *config.Override) string {
	parts := make([]string, 0, 3)
	for _, p := range []struct {
		label string
		names []string
	}{{"servers", o.Servers}, {"tools", o.Tools}} {
		if len(p.names) > 0 {
			parts = append(parts, p.label+" "+printable.String(strings.Join(p.names, ",")))
		}
	}
	for _, phase := range o.Phases {
		parts = append(parts, phase.String())
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}

// soon is how long before its end an exception is told of.
const soon = 7 * 24 * time.Hour

func exception(e *config.Exception, now time.Time, warn warner) {
	name := printable.String(e.Rule)
	switch {
	case e.Until.IsZero():
		warn("", "give it an end with until, or narrow the rule", "an exception for %s holds for ever", name)
	case now.After(e.Until):
		warn("", "remove it", "the exception for %s ended on %s", name, e.Until.Format(time.DateOnly))
	case e.Until.Sub(now) < soon:
		warn("", "decide whether it is still needed", "the exception for %s ends on %s", name, e.Until.Format(time.DateOnly))
	}
}
