package config

import (
	"os"
	"path/filepath"
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
				l.notes.warn(m.key, "give them names that are easy to tell apart", "this name differs from %s only in case", quote(other))
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
var fromDotenv = []string{"command", "args", "env", "cwd", "url", "serverUrl", "httpUrl", "headers"}

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
	e, before := entry{Server: Server{Name: m.name}}, len(l.notes.problems)
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

// finishTransport settles how the server is reached; false means that it is
// not to be added. before is the number of problems there were before it.
func (l *loader) finishTransport(e *entry, m member, before int) bool {
	command, address := m.value.get("command"), urlNode(m.value)
	has := func(n *node) bool {
		return n != nil && n.kind != nullKind && (n.broken || n.kind != stringKind || strings.TrimSpace(n.text) != "")
	}
	switch {
	case has(command) && has(address):
		l.notes.problem(m.key, "keep one of the two", "the server has both command and url")
	case has(command):
		if e.Type == TypeHTTP || e.Type == TypeSSE {
			l.notes.problem(m.value.get("type"), "remove type, or give a url", "a server with a command is stdio")
		}
		e.Type = TypeStdio
		if len(e.Headers) > 0 {
			l.notes.warn(m.value.get("headers"), "", "headers mean nothing for a program")
		}
		if command.broken || e.Command == "" {
			break // reported before
		}
		return l.finishCommand(e, m)
	case has(address):
		if e.Type == TypeStdio {
			l.notes.problem(m.value.get("type"), "use http or sse", "a server with a url cannot be stdio")
			break
		}
		if !address.broken && e.URL != "" {
			l.finishURL(e, address)
		}
	case len(l.notes.problems) > before: // a slip of command or url, reported
	case e.Type == TypeHTTP || e.Type == TypeSSE:
		l.notes.problem(m.key, "add url", "the server has no url")
	default:
		l.notes.problem(m.key, "add command for a program, or url for a server elsewhere", "the server has neither command nor url")
	}
	return true
}

func urlNode(n *node) *node {
	for _, name := range []string{"url", "serverUrl", "httpUrl"} {
		if v := n.get(name); v != nil {
			return v
		}
	}
	return nil
}

// finishCommand makes paths absolute, so that nothing depends on the current
// directory, and leaves out a server that is this relay.
func (l *loader) finishCommand(e *entry, m member) bool {
	e.Command = expandHome(e.Command, l.opts.Home)
	if strings.ContainsAny(e.Command, "/"+string(os.PathSeparator)) && !filepath.IsAbs(e.Command) {
		e.Command = filepath.Join(l.reader.dir, e.Command)
	}
	if l.isOurselves(e.Command, e.Args) {
		l.notes.warn(m.key, "remove it from this file", "this server is the relay itself; it is left out")
		return false
	}
	e.Dir = expandHome(e.Dir, l.opts.Home)
	if !filepath.IsAbs(e.Dir) {
		e.Dir = filepath.Join(l.reader.dir, e.Dir)
	}
	return true
}

// isOurselves reports whether a command would start this relay again, which
// would start itself again.
func (l *loader) isOurselves(command string, args []string) bool {
	if l.opts.Executable == "" {
		return false
	}
	if len(args) > 0 && slices.Contains(l.opts.OwnServers, args[0]) {
		return false
	}
	own, err := os.Stat(l.opts.Executable)
	for _, word := range append([]string{l.lookPath(command)}, args...) {
		if slices.Contains(strings.FieldsFunc(word, isShellSpace), l.opts.Executable) {
			return true
		}
		if info, statErr := os.Stat(word); err == nil && statErr == nil && filepath.IsAbs(word) && os.SameFile(own, info) {
			return true
		}
	}
	return false
}

// isShellSpace reports whether a shell would end a word here: the relay may
// stand inside the argument of sh -c.
func isShellSpace(r rune) bool { return strings.ContainsRune(" \t\n;&|\"'`()", r) }

// lookPath finds a bare command in the absolute directories of PATH.
func (l *loader) lookPath(command string) string {
	if filepath.IsAbs(command) {
		return command
	}
	path, _ := l.opts.Environ("PATH")
	for _, dir := range filepath.SplitList(path) {
		for _, ext := range executableExtensions {
			file := filepath.Join(dir, command+ext)
			if info, err := os.Stat(file); err == nil && filepath.IsAbs(dir) && !info.IsDir() {
				return file
			}
		}
	}
	return command
}

// executableExtensions are what a program's name may lack.
var executableExtensions = []string{"", ".exe"}

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
		l.notes.warn(asked, "add the server to relay.allow_hidden when this is meant", "hidden_mode is refused; the server %s is scanned", quote(e.Name))
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
