package config

import (
	"reflect"
	"slices"
)

// scannerAspects classes the changes of a scanner that there was before.
func scannerAspects() []aspect {
	executes, weakens := always(Executes), always(Weakens)
	outages := ranked(PolicyAllow, PolicyFallback, PolicyBlock)
	return []aspect{
		{field: "Name"}, // by which it is known
		{field: "Plugin", key: "plugin", effect: executes},
		{field: "Bundled"}, // follows from the plugin
		{field: "Installed", key: "plugin", effect: executes}, // other files beside the program
		{field: "SHA256", key: "sha256", effect: executes},
		{field: "Args", key: "args", effect: executes},
		{field: "Config", key: "config", effect: executes}, // it may hold an address and credentials
		{field: "Phases", key: "phases", effect: lost},
		{field: "Servers", key: "servers", effect: lost},
		{field: "Mode", key: "mode", effect: ranked(ModeOff, ModeObserve, ModeEnforce)},
		{field: "OnError", key: "on_error", effect: outages},
		{field: "Fallback", key: "fallback", effect: weakens},
		{field: "Stage", key: "stage", effect: weakens}, // it may judge less than before, after an early exit
		{field: "Threshold", key: "threshold", effect: threshold},
		{field: "Cache", key: "cache", effect: becomes(CacheFalse)},
		{field: "Sandbox", key: "sandbox", effect: confined},
		{field: "Overrides", key: "overrides", effect: weakens},
		{field: "OnContentError", key: "on_content_error", effect: outages},
		{field: "Timeout", key: "timeout", effect: weakens}, // a shorter one makes more scans fail
		{field: "MayRewrite", key: "may_rewrite", effect: becoming(true, Weakens)},
		{field: "RedactRequests", key: "redact_requests", effect: becoming(true, Weakens)},
		{field: "MaxConcurrent", key: "max_concurrent", effect: weakens},
	}
}

// threshold classes another severity from which on findings count.
func threshold(before, after reflect.Value) Effect {
	if after.String() == "" { // every verdict counts as it is
		return Harmless
	}
	order := slices.Clone(severities)
	slices.Reverse(order)
	if before.String() == "" {
		return Weakens
	}
	return ranked(order...)(before, after)
}

// becomes says that one value is the strictest and any other may be laxer.
func becomes(strictest string) func(_, after reflect.Value) Effect {
	return func(_, after reflect.Value) Effect {
		if after.String() == strictest {
			return Harmless
		}
		return Weakens
	}
}

// confined classes the sandbox: without one, other things can be done.
func confined(_, after reflect.Value) Effect {
	if after.String() == SandboxAlways {
		return Harmless
	}
	return Executes
}

// scanners compares the lists of scanners, by name.
func (d *differ) scanners(before, after []Scanner) {
	at := func(s *Scanner) string { return "relay.scanners[" + s.Name + "]" }
	aspects := scannerAspects()
	for i := range before {
		j := slices.IndexFunc(after, func(s Scanner) bool { return s.Name == before[i].Name })
		if j < 0 {
			d.add(at(&before[i]), Weakens)
			continue
		}
		d.fields(at(&before[i]), aspects, reflect.ValueOf(&before[i]).Elem(), reflect.ValueOf(&after[j]).Elem())
	}
	for j := range after {
		if !slices.ContainsFunc(before, func(s Scanner) bool { return s.Name == after[j].Name }) {
			d.add(at(&after[j]), Executes)
		}
	}
	if reordered(before, after, func(s *Scanner) string { return s.Name }) {
		d.add("relay.scanners", Weakens)
	}
}

// reordered reports whether what is in both lists stands in another order.
func reordered[T any](before, after []T, name func(*T) string) bool {
	names := func(list []T) (all []string) {
		for i := range list {
			all = append(all, name(&list[i]))
		}
		return all
	}
	old, now := names(before), names(after)
	left := slices.DeleteFunc(slices.Clone(old), func(n string) bool { return !slices.Contains(now, n) })
	right := slices.DeleteFunc(now, func(n string) bool { return !slices.Contains(old, n) })
	return !slices.Equal(left, right)
}
