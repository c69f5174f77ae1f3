package conformance

import (
	"crypto/rand"
	"errors"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

func keepsSecrets(p *probe) {
	l := p.own()
	if l == nil {
		return
	}
	canary := strings.ToLower(rand.Text())
	p.sayCanary(l, canary)
	if p.suite.about.GetConfigurable() {
		err := l.Configure(p.ctx, `{"api_key":"`+canary+`","no such member":"`+canary+`"}`)
		problems, _ := errors.AsType[scanner.Problems](err)
		for _, problem := range problems {
			if strings.Contains(strings.ToLower(problem.Message), canary) {
				p.fault("a problem of a configuration repeats a value")
			}
		}
	}
	if l.child == nil {
		return
	}
	if !p.leave(l) {
		return // another check says so
	}
	<-l.child.err.ended
	if l.child.err.holds(canary) {
		p.fault("standard error repeats content or a value of the configuration")
	}
}

// sayCanary has contents judged that hold the canary and looks for it in the
// answers.
func (p *probe) sayCanary(l *link, canary string) {
	said := func(where, text string) {
		if strings.Contains(strings.ToLower(text), canary) {
			p.fault("%s repeats content", where)
		}
	}
	for _, bait := range append(p.suite.texts(), append(baits(), "x")...) {
		for _, s := range p.suite.small() {
			if s.sort != least {
				continue
			}
			s.data = canary + " " + bait + " " + canary
			if s.kind == scanner.KindJSON {
				s.data = `{"text":` + quote(s.data) + `}`
			}
			v, err := l.Scan(p.ctx, s.content())
			if err != nil {
				said("the error of a scan", err.Error())
			}
			for _, f := range v.Findings {
				said("a finding", f.Message+f.Rule+f.Category+f.Replacement)
			}
			for _, u := range v.Uninspected {
				said("a reason for not inspecting", u.Reason)
			}
			said("a verdict's reference", v.Reference)
			said("a verdict's link", v.Link)
		}
	}
}
