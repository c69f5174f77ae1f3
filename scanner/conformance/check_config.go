package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/mcp-relay/relay/scanner"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// configChecks are about the configuration.
func configChecks() []check {
	return []check{
		{
			name: "not-configured", section: onOrder, need: connection, run: waitsForConfig,
			expected: "a scanner that takes a configuration is NOT_SERVING and refuses scans until it has one",
		},
		{
			name: "configure", section: onOrder, need: connection, run: acceptsConfig,
			expected: "it accepts its configuration, is SERVING then, and describes itself as before",
		},
		{
			name: "bad-configuration", section: onOrder, need: connection, run: refusesConfig,
			expected: "a bad configuration is answered with all that is wrong with it, each with a message",
		},
		{
			name: "kept-configuration", section: onOrder, need: configured, run: keepsConfig,
			expected: "a refused configuration leaves the one before it in force",
		},
	}
}

func describes(p *probe) {
	s := p.suite
	l := p.fresh()
	if l == nil {
		s.lost = "there is no connection: see the check describe"
		return
	}
	d, err := s.describe(p.ctx, l)
	if err != nil {
		p.fault("before a configuration: %v", err)
		s.lost = "the scanner does not say what it is: see the check describe"
		return
	}
	s.about, s.samples = d, s.opts.samples(infoFrom(d))
	if len(s.samples) == 0 {
		p.fault("it judges no phase or kind that this version of the contract has")
		s.lost = "the scanner judges nothing: see the check describe"
		return
	}
	for _, problem := range describeProblems(d) {
		p.fault("%s", problem)
	}
	if again, err := s.describe(p.ctx, l); err != nil || !proto.Equal(d, again) {
		p.fault("asked again, it says something else: %v", err)
	}
}

func describeProblems(d *scannerv1.DescribeResponse) []string {
	var problems []string
	if !validName(d.GetName()) {
		problems = append(problems, fmt.Sprintf("the name %.80q is not 1 to 64 of a-z, 0-9, '.', '_' and '-', "+
			"with a letter or digit first and without '..'", d.GetName()))
	}
	if d.GetVersion() == "" || len(d.GetVersion()) > handshake.MaxName || len(d.GetSdkVersion()) > handshake.MaxName {
		problems = append(problems, "the version is missing, or it or the SDK's is longer than 64 bytes")
	}
	if schema := d.GetConfigSchema(); schema != "" {
		var object map[string]json.RawMessage
		if len(schema) > handshake.MaxConfig || json.Unmarshal([]byte(schema), &object) != nil {
			problems = append(problems, "the schema of the configuration is not a JSON object of at most 1 MiB")
		}
		if !d.GetConfigurable() {
			problems = append(problems, "there is a schema of a configuration, but configurable is not set")
		}
	}
	return problems
}

func validName(name string) bool {
	if name == "" || len(name) > handshake.MaxName || strings.Contains(name, "..") || strings.Trim(name[:1], "._-") == "" {
		return false
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

func waitsForConfig(p *probe) {
	l := p.fresh()
	if l == nil {
		return
	}
	ready, err := l.Ready(p.ctx)
	if !p.suite.about.GetConfigurable() {
		if err != nil || !ready {
			p.fault("it takes no configuration, but is not SERVING at once: %v", err)
		}
		return
	}
	if err != nil || ready {
		p.fault("it is SERVING without a configuration: %v", err)
	}
	v, err := l.Scan(p.ctx, p.suite.plain())
	p.wantReason("a scan without a configuration", v, err, scanner.ReasonNotConfigured)
}

func acceptsConfig(p *probe) {
	s := p.suite
	l := p.fresh()
	if l == nil {
		s.bare = "the scanner does not start: see the check configure"
		return
	}
	if err := l.Configure(p.ctx, s.opts.Config); err != nil {
		s.bare = "the scanner refuses its configuration: see the check configure"
		if s.opts.Config == "{}" && s.about.GetConfigurable() {
			s.bare = "the scanner needs a configuration, and none was given"
			p.skip("the scanner cannot do without a configuration, and none was given; it says: %v", err)
			return
		}
		p.fault("the configuration was refused: %v", err)
		return
	}
	if ready, err := l.Ready(p.ctx); err != nil || !ready {
		p.fault("it is not SERVING afterwards: %v", err)
	}
	if after, err := s.describe(p.ctx, l); err != nil || !proto.Equal(s.about, after) {
		p.fault("the configuration changed what it says of itself: %v", err)
	}
}

func refusesConfig(p *probe) {
	l := p.fresh()
	if l == nil {
		return
	}
	o := p.suite.opts
	for _, config := range []string{`[]`, `{`, `"x"`, `{} {}`, o.BadConfig} {
		err := l.Configure(p.ctx, config)
		if words, ended := l.ended(err); ended {
			p.fault("configuration %s: the process ended%s", config, words)
			return
		}
		problems, ok := errors.AsType[scanner.Problems](err)
		switch {
		case err == nil:
			p.fault("configuration %s: it is accepted", config)
		case !ok:
			p.fault("configuration %s: the call failed instead of listing what is wrong: %v", config, err)
		case len(problems) > handshake.MaxProblems:
			p.fault("configuration %s: there are more than %d problems", config, handshake.MaxProblems)
		}
		for _, problem := range problems {
			if problem.Message == "" || len(problem.Message) > handshake.MaxText || len(problem.Pointer) > handshake.MaxPointer {
				p.fault("configuration %s: the problem at %.80q has no message, or it or the pointer is too long", config, problem.Pointer)
			}
		}
		if config != o.BadConfig {
			continue
		}
		for _, pointer := range o.BadPointers {
			if err != nil && !slices.ContainsFunc(problems, func(q scanner.Problem) bool { return q.Pointer == pointer }) {
				p.fault("configuration %s: nothing is reported at %q, only: %v", config, pointer, problems)
			}
		}
	}
}

func keepsConfig(p *probe) {
	if !p.suite.about.GetConfigurable() {
		p.skip("the scanner takes no configuration")
		return
	}
	l := p.own()
	if l == nil {
		return
	}
	_ = l.Configure(p.ctx, p.suite.opts.BadConfig)
	if ready, err := l.Ready(p.ctx); err != nil || !ready {
		p.fault("afterwards it is not SERVING: %v", err)
	}
	if _, err := l.Scan(p.ctx, p.suite.plain()); err != nil {
		if e, ok := errors.AsType[*scanner.Error](err); !ok || e.Reason == scanner.ReasonNotConfigured {
			p.fault("afterwards a scan fails: %v", err)
		}
	}
}

// reconfigures is the check that a configuration may come while scans run.
func reconfigures(p *probe) {
	l := p.own()
	if l == nil {
		return
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 16 {
				p.scan(l, "a scan during a configuration", p.suite.plain())
			}
		})
	}
	for range 8 {
		if err := l.Configure(p.ctx, p.suite.opts.Config); err != nil {
			p.fault("a configuration during scans: %v", err)
		}
	}
	wg.Wait()
}
