package config

import "reflect"

// relayAspects classes the changes of the section relay. Its scanners are
// compared one by one: see scannerAspects.
func relayAspects() []aspect {
	restart := always(Restart)
	return []aspect{
		{field: "Naming", key: "naming", effect: restart},
		{field: "MaxName", key: "max_name", effect: restart},
		{field: "StartTimeout", key: "start_timeout", effect: restart},
		{field: "CallTimeout", key: "call_timeout", effect: always(Harmless)},
		{field: "RelistInterval", key: "relist_interval", effect: longer},
		{field: "MaxServers", key: "max_servers", effect: restart},
		{field: "MaxTools", key: "max_tools", effect: restart},
		{field: "MaxMessage", key: "max_message", effect: restart},
		{field: "AllowUnscanned", key: "allow_unscanned", effect: added},
		{field: "ScanBudget", key: "scan_budget", effect: always(Weakens)}, // a shorter one makes more scans fail
		{
			field: "Uninspected", key: "uninspected",
			effect: ranked(UninspectedAllow, UninspectedFlag, Auto, UninspectedStrip, UninspectedBlock),
		},
		{field: "Exceptions", key: "exceptions", effect: added},
		{field: "Definitions", key: "definitions", within: definitionAspects()},
		{field: "VerdictCache", key: "verdict_cache", within: all(restart, reflect.TypeFor[Cache](), map[string]string{
			"Memory": "memory", "Disk": "disk", "TTL": "ttl",
		})},
		{field: "AllowSelfEdit", key: "allow_self_edit", effect: becoming(true, Weakens)},
		{field: "Watch", key: "watch", effect: becoming(false, Weakens)}, // of the protection, nothing; but who asked for that?
		{field: "Overlap", key: "overlap", effect: added},
		{field: "AllowHidden", key: "allow_hidden", effect: mayHide},
		{field: "Scanners"},
		{field: "Audit", key: "audit", within: all(restart, reflect.TypeFor[Audit](), map[string]string{
			"Path": "path", "OnError": "on_error", "MaxSizeMB": "max_size_mb", "MaxBackups": "max_backups", "Disabled": "disabled",
		})},
		{field: "Front", within: all(restart, reflect.TypeFor[Front](), map[string]string{
			"Transport": "transport", "Host": "host", "Port": "port",
		})},
		{field: "HTTP", key: "http", within: all(restart, reflect.TypeFor[HTTP](), map[string]string{
			"Enabled": "", "Listen": "listen", "Path": "path", "Auth": "auth", "Tokens": "tokens", "AllowedHosts": "allowed_hosts",
			"AllowedOrigins": "allowed_origins", "TLS": "tls", "Insecure": "insecure", "MaxSessions": "max_sessions",
			"MaxStreams": "max_streams", "MaxParked": "max_parked", "SessionIdle": "session_idle", "SSE": "sse",
		})},
		{field: "Isolation", key: "isolation", effect: restart},
		{field: "Limits", key: "limits", within: all(restart, reflect.TypeFor[Limits](), map[string]string{
			"SessionsPerPrincipal": "sessions_per_principal", "StreamsPerPrincipal": "streams_per_principal",
			"ParkedPerPrincipal": "parked_per_principal", "ChildrenPerPrincipal": "children_per_principal",
		})},
		{field: "PageSize", key: "page_size", effect: restart},
		{field: "ParkedTTL", key: "parked_ttl", effect: restart},
		{field: "MaxInputRounds", key: "max_input_rounds", effect: restart},
		{field: "ServerRequests", key: "server_requests", within: requestAspects()},
		{field: "LogLevel", key: "log_level", effect: ranked("error", "warn", "info", "debug")}, // a quiet relay hides what it does
		{field: "ScannersImplied"}, // the scanners themselves are compared
	}
}

// all gives every field of a struct one class. A field without a key has none,
// so that a new one is noticed.
func all(effect func(_, _ reflect.Value) Effect, of reflect.Type, keys map[string]string) []aspect {
	aspects := make([]aspect, 0, of.NumField())
	for i := range of.NumField() {
		name := of.Field(i).Name
		if key, ok := keys[name]; ok {
			aspects = append(aspects, aspect{field: name, key: key, effect: effect})
		}
	}
	return aspects
}

func definitionAspects() []aspect {
	// What drift means for each class of change is settled by loading, but for one
	// thing: graded holds while the relay runs what it flags at the start.
	aspects := []aspect{{field: "Drift", key: "drift", effect: becomes(DriftGraded)}}
	for _, field := range []struct{ name, key string }{
		{"Wording", "wording"}, {"Schema", "schema"}, {"Default", "default"}, {"Annotation", "annotation"},
		{"URL", "url"}, {"Renamed", "renamed"}, {"New", "new"},
	} {
		aspects = append(aspects, aspect{field: field.name, key: field.key, effect: ranked(DriftAllow, DriftFlag, DriftHold)})
	}
	return aspects
}

// mayHide classes changes of the servers that may be exempt from scanning: none
// named is all of them.
func mayHide(before, after reflect.Value) Effect {
	switch {
	case after.IsNil():
		return Weakens
	case before.IsNil():
		return Harmless
	default:
		return added(before.Elem(), after.Elem())
	}
}

func requestAspects() []aspect {
	more := becoming(true, Weakens)
	return []aspect{
		{field: "Sampling", key: "sampling", effect: more},
		{field: "Elicitation", key: "elicitation", effect: more},
		{field: "ElicitationURL", key: "elicitation_url", effect: more},
		{field: "Roots", key: "roots", effect: more},
		{field: "Context", key: "context", effect: more},
	}
}
