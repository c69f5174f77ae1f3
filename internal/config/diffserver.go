package config

import (
	"reflect"
	"slices"
)

// serverAspects classes the changes of a server that was started before.
func serverAspects() []aspect {
	executes := always(Executes)
	return []aspect{
		{field: "Name"}, // by which it is known
		{field: "Type", key: "type", effect: executes},
		{field: "Command", key: "command", effect: executes},
		{field: "Args", key: "args", effect: executes},
		{field: "Env", key: "env", effect: executes},
		{field: "Dir", key: "cwd", effect: executes},
		{field: "URL", key: "url", effect: executes},
		{field: "Headers", key: "headers", effect: executes},
		{field: "Disabled"}, // see servers
		{field: "Hidden", key: "hidden_mode", effect: becoming(true, Weakens)},
		{field: "HiddenRefused", key: "hidden_mode", effect: always(Harmless)}, // it is scanned all the same
		{field: "InheritEnv", key: "inherit_env", effect: executes},
		{field: "Timeout", key: "timeout", effect: always(Harmless)},
		{field: "Sandbox", key: "sandbox", effect: becoming(false, Executes)},
		{field: "Protocol", key: "protocol", effect: always(Weakens)},
		{field: "Requests", key: "requests", within: requestAspects()},
		{field: "OAuth", key: "oauth", effect: executes},
	}
}

// servers compares the lists of servers, by name. One that is disabled is as
// good as none.
func (d *differ) servers(before, after []Server) {
	at := func(s *Server) string { return "mcpServers." + s.Name }
	aspects := serverAspects()
	for i := range before {
		old := &before[i]
		j := slices.IndexFunc(after, func(s Server) bool { return s.Name == old.Name })
		if j < 0 {
			d.add(at(old), Harmless)
			continue
		}
		switch now := &after[j]; {
		case old.Disabled && now.Disabled:
		case now.Disabled:
			d.add(at(now)+".disabled", Harmless)
		case old.Disabled:
			d.add(at(now)+".disabled", Executes)
		default:
			d.fields(at(now), aspects, reflect.ValueOf(old).Elem(), reflect.ValueOf(now).Elem())
		}
	}
	for j := range after {
		now := &after[j]
		if slices.ContainsFunc(before, func(s Server) bool { return s.Name == now.Name }) {
			continue
		}
		effect := Executes
		if now.Disabled {
			effect = Harmless
		}
		d.add(at(now), effect)
	}
	// The first of two servers has what both lay claim to.
	if reordered(before, after, func(s *Server) string { return s.Name }) {
		d.add("mcpServers", Weakens)
	}
}
