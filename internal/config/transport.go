package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// finishTransport settles how the server is reached; false means that it is
// not to be added. before is the number of problems there were before it.
func (l *loader) finishTransport(e *entry, m member, before int) bool {
	command, address := m.value.get("command"), urlNode(m.value)
	switch {
	case given(command) && given(address):
		l.notes.problem(m.key, "keep one of the two", "the server has both command and url")
	case given(command):
		return l.finishCommand(e, m)
	case given(address):
		if e.Type == TypeStdio {
			l.notes.problem(typeNode(m.value), "use http or sse", "a server with a url cannot be stdio")
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

func typeNode(n *node) *node {
	if v := n.get("type"); v != nil {
		return v
	}
	return n.get("transport")
}

// given reports whether a key is there and not empty, whatever it holds.
func given(n *node) bool {
	return n != nil && n.kind != nullKind && (n.broken || n.kind != stringKind || strings.TrimSpace(n.text) != "")
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
	if e.Type == TypeHTTP || e.Type == TypeSSE {
		l.notes.problem(typeNode(m.value), "remove type, or give a url", "a server with a command is stdio")
	}
	e.Type = TypeStdio
	if len(e.Headers) > 0 {
		l.notes.warn(m.value.get("headers"), "", "headers mean nothing for a program")
	}
	if e.Command == "" {
		return true // reported before
	}
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
