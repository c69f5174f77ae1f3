package config

import (
	"slices"
	"strings"
)

// finishPolicy checks what verdicts are to mean, and fills in what was left out.
func (l *loader) finishPolicy(relay *node) {
	l.config.Relay.Definitions.setDrift()
	for i := range l.config.Relay.Exceptions {
		l.finishException(&l.config.Relay.Exceptions[i], relay.get("exceptions").item(i))
	}
	for i := range l.config.Relay.Scanners {
		s, at := &l.config.Relay.Scanners[i], relay.get("scanners").item(i)
		l.finishFallback(s, at)
		for j := range s.Overrides {
			o, place := &s.Overrides[j], at.get("overrides").item(j)
			l.checkPatterns(place.get("servers"), o.Servers)
			l.checkPatterns(place.get("tools"), o.Tools)
		}
	}
}

func (l *loader) finishException(e *Exception, at *node) {
	l.checkPatterns(at.get("servers"), e.Servers)
	l.checkPatterns(at.get("tools"), e.Tools)
	if rule := at.get("rule"); rule != nil {
		l.checkPatterns(rule, []string{e.Rule})
	}
	if len(e.Scanners)+len(e.Servers)+len(e.Tools) == 0 && e.Pointer == "" && strings.Trim(e.Rule, "*?/") == "" {
		l.notes.warn(at.get("rule"), "name a server, a tool or a place",
			"this excepts whatever is found, anywhere")
	}
	if e.Pointer != "" && !strings.HasPrefix(e.Pointer, "/") {
		l.notes.problem(at.get("pointer"), "begin it with a slash", "this is not a pattern of JSON Pointers")
	}
	for i, name := range e.Scanners {
		if !slices.Contains(l.scannerNames(), name) {
			n := at.get("scanners").item(i)
			l.notes.problem(n, didYouMean(name, l.scannerNames(), ""), "there is no scanner %s", n.shown())
		}
	}
}

// finishFallback checks that who judges instead of a scanner exists, and that
// two scanners do not wait for each other.
func (l *loader) finishFallback(s *Scanner, at *node) {
	asks := s.OnError == PolicyFallback ||
		slices.ContainsFunc(s.Overrides, func(o Override) bool { return o.OnError == PolicyFallback })
	name := at.get("fallback")
	switch {
	case asks && s.Fallback == "":
		l.notes.problem(nearestNode(at.get("on_error"), at),
			"add fallback with the name of another scanner", "nobody is named to judge instead")
	case s.Fallback == "":
	case !asks:
		l.notes.problem(name, "add on_error: fallback, or remove it", "nothing asks for the fallback")
	case s.Fallback == s.Name:
		l.notes.problem(name, "name another scanner", "a scanner cannot stand in for itself")
	default:
		i := slices.IndexFunc(l.config.Relay.Scanners, func(other Scanner) bool { return other.Name == s.Fallback })
		if i < 0 {
			l.notes.problem(name, didYouMean(s.Fallback, l.scannerNames(), ""), "there is no scanner %s", name.shown())
		} else if l.config.Relay.Scanners[i].OnError == PolicyFallback {
			l.notes.problem(name, "name a scanner whose on_error is block", "the scanner %s has a fallback itself", name.shown())
		}
	}
}

func (l *loader) scannerNames() []string {
	var list []string
	for i := range l.config.Relay.Scanners {
		list = append(list, l.config.Relay.Scanners[i].Name)
	}
	return list
}

// checkPatterns reports what is no pattern. at is the list, or the one string.
func (l *loader) checkPatterns(at *node, patterns []string) {
	for i, pattern := range patterns {
		if validPattern(pattern) {
			continue
		}
		place := at
		if at != nil && at.kind == listKind {
			place = at.item(i)
		}
		l.notes.problem(place, "a star stands for any characters, [ab] for one of them", "this is not a pattern")
	}
}
