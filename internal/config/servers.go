package config

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readServers reads a block of servers. Problems of a disabled server do not
// count: people park broken entries that way.
func (l *loader) readServers(block *node) {
	if block.kind == nullKind || !l.reader.is(block, objectKind) {
		return
	}
	for _, m := range block.members {
		if !l.checkName(m) || !l.reader.is(m.value, objectKind) {
			continue
		}
		if slices.Contains(l.serverNames(), m.name) {
			l.notes.problem(m.key, "rename or remove one of the two", "the server %s is there twice", quote(m.name))
			continue
		}
		if l.isDisabled(m.value) {
			l.config.Servers = append(l.config.Servers, Server{Name: m.name, Disabled: true})
			continue
		}
		l.expandServer(m.value)
		l.readServer(m)
	}
}

// checkName accepts any name that can be shown: the registry maps it to what
// clients allow.
func (l *loader) checkName(m member) bool {
	const longest = 128
	switch {
	case strings.TrimSpace(m.name) == "":
		l.notes.problem(m.key, "give it a name", "the name of a server is empty")
	case utf8.RuneCountInString(m.name) > longest:
		l.notes.problem(m.key, "", "the name of a server is longer than %d characters", longest)
	case strings.IndexFunc(m.name, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
		l.notes.problem(m.key, "", "the name of a server holds characters that cannot be shown")
	default:
		for _, other := range l.serverNames() {
			if other != m.name && strings.EqualFold(other, m.name) {
				l.notes.warn(m.key, "give them names that are easy to tell apart",
					"this name differs from %s only in case", quote(other))
			}
		}
		return true
	}
	return false
}

// isDisabled reads the three ways in which clients switch a server off.
func (l *loader) isDisabled(n *node) bool {
	for _, name := range []string{"disabled", "enabled", "isActive"} {
		if v := n.get(name); v != nil {
			if v.kind != boolKind {
				l.notes.problem(v, "write true or false", "this must be true or false, not %s", v.shown())
				continue
			}
			if strings.EqualFold(v.text, "true") == (name == "disabled") {
				return true
			}
		}
	}
	return false
}

// fromDotenv are the keys of a server whose ${NAME} the .env file may fill.
var fromDotenv = []string{"command", "args", "env", "cwd", "url", "serverUrl", "httpUrl", "headers", "oauth"}

func (l *loader) expandServer(n *node) {
	for _, m := range n.members {
		if m.name == "env" {
			for _, variable := range m.value.members {
				// What exempts a server from scanning is policy, not a value.
				l.variables.expandTree(variable.value, variable.name != "hidden_mode")
			}
			continue
		}
		if _, known := find(l.serverFields, m.name); known {
			l.variables.expandTree(m.value, slices.Contains(fromDotenv, m.name))
		}
	}
}

func (l *loader) readServer(m member) {
	e, before := entry{Server: Server{Name: m.name, Requests: l.config.Relay.ServerRequests}}, len(l.notes.problems)
	setDefaults(&l.reader, &e, l.serverFields)
	for _, k := range m.value.members {
		f, ok := find(l.serverFields, k.name)
		switch {
		case !ok:
			l.clientKey(k)
		case k.name == "disabled":
		case k.value.kind == nullKind:
		case len(f.aliases) > 0 && l.doubled(m.value, f.name, f.aliases, k):
		default:
			f.value.read(&l.reader, k.value, &e)
		}
	}
	if !l.finishTransport(&e, m, before) {
		return
	}
	l.finishOAuth(&e)
	l.finishHidden(&e)
	l.config.Servers = append(l.config.Servers, e.Server)
}

// doubled reports a key that stands beside another name of itself.
func (l *loader) doubled(server *node, name string, aliases []string, k member) bool {
	for _, other := range append([]string{name}, aliases...) {
		if other == k.name {
			return false
		}
		if server.get(other) != nil {
			l.notes.problem(k.key, "remove one of the two", "%s says the same as %s", k.name, other)
			return true
		}
	}
	return false
}

// clientKey judges a key that the relay has no use for: what looks like a
// slip of one that matters is an error, anything else stays the client's.
func (l *loader) clientKey(k member) {
	warning, known := clientKeys[k.name]
	if known && warning == "" {
		return
	}
	if known {
		l.notes.warn(k.key, warning, "this key is not supported")
		return
	}
	if near := nearest(k.name, names(l.serverFields)); near != "" {
		l.notes.problem(k.key, "did you mean "+near+"?", "unknown key %s", quote(k.name))
		return
	}
	l.notes.warn(k.key, "", "this key is not read")
}

// finishHidden decides whether hidden_mode has effect.
func (l *loader) finishHidden(e *entry) {
	asked := e.key
	if asked == nil {
		asked = e.envHidden
	}
	if asked == nil || !l.reader.hidden(asked) {
		return
	}
	if allowed := l.config.Relay.AllowHidden; allowed != nil && !slices.Contains(*allowed, e.Name) {
		e.HiddenRefused = true
		l.notes.warn(asked, "add the server to relay.allow_hidden when this is meant",
			"hidden_mode is refused; the server %s is scanned", quote(e.Name))
		return
	}
	e.Hidden = true
	hint := ""
	if l.config.Relay.AllowHidden == nil {
		hint = "list in relay.allow_hidden which servers may ask for this"
	}
	l.notes.warn(asked, hint, "the server %s is not scanned", quote(e.Name))
}

func (l *loader) serverNames() []string {
	list := make([]string, 0, len(l.config.Servers))
	for i := range l.config.Servers {
		list = append(list, l.config.Servers[i].Name)
	}
	return list
}
