package config

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"path/filepath"
	"slices"
	"sync"
)

// Options are where a configuration comes from. The zero value reads the
// process environment, finds no home directory and recognises no executable.
type Options struct {
	Path       string                      // of the file, from a flag; relative to WorkDir
	Environ    func(string) (string, bool) // nil: os.LookupEnv
	Home       string                      // the user's home directory
	WorkDir    string                      // the current directory
	Executable string                      // our own, absolute: a server that is the relay itself is left out
	// OwnServers are first arguments with which Executable is an MCP server
	// and not the relay.
	OwnServers []string
	// Installed lists the installed scanners that a file can name, the latest
	// last; nil: none. It is called when a file names one.
	Installed func() ([]Installed, error)
	// Flags are values from the command line that are stronger than the file
	// and the environment, under the names of keys of the section relay:
	// transport, host, port, max_servers, max_tools, relist_interval, log_level.
	Flags map[string]string

	goos string // for tests
}

// loader carries one load.
type loader struct {
	opts         Options
	notes        *notes
	reader       reader
	variables    variables
	airs         airs
	config       *Config
	digest       hash.Hash // of what is read
	fields       []field[Relay]
	serverFields []field[entry]
	said         map[string]*node // who said transport, host and port; the strongest
}

// Find returns the absolute path of the configuration file, which need not be in
// order. Its error is [Problems].
func Find(opts Options) (string, error) {
	out := &notes{}
	path := locate(opts.withDefaults(), out)
	return path, out.err()
}

// Load finds, reads and checks the configuration. Its error is [Problems]: all
// that is wrong with the file. It reads files and starts nothing.
func Load(opts Options) (*Config, error) {
	opts = opts.withDefaults()
	out := &notes{}
	path := locate(opts, out)
	if path == "" {
		return nil, out.err()
	}
	out.file = path
	warnIgnored(opts, path, out)
	data, err := readTrusted(path, maxFile)
	if err != nil {
		out.problem(nil, hintOf(err), "the configuration cannot be used: %s", err)
		return nil, out.err()
	}
	root := parse(path, data, out)
	if root == nil {
		return nil, out.err()
	}
	l := newLoader(opts, path, out)
	digest := sha256.Sum256(data)
	l.digest.Write(digest[:])
	l.read(root)
	if err := out.err(); err != nil {
		return nil, err
	}
	l.config.Warnings = out.warnings
	l.config.Digest = hex.EncodeToString(l.digest.Sum(nil))
	return l.config, nil
}

func newLoader(opts Options, path string, out *notes) *loader {
	l := &loader{
		opts: opts, notes: out,
		reader:    reader{notes: out, dir: filepath.Dir(path), home: opts.Home},
		variables: variables{environ: opts.Environ, home: opts.Home, notes: out},
		config:    &Config{Path: path}, digest: sha256.New(),
		said:   map[string]*node{},
		fields: relayFields(), serverFields: serverFields(),
	}
	l.variables.dotenv = sync.OnceValue(func() *dotenv {
		d := readDotenv(path, out)
		l.digest.Write(d.digest[:])
		return d
	})
	setDefaults(&l.reader, &l.config.Relay, l.fields)
	setDefaults(&l.reader, &l.config.Relay.Audit, auditFields())
	setDefaults(&l.reader, &l.config.Relay.Definitions, definitionFields())
	setDefaults(&l.reader, &l.config.Relay.VerdictCache, cacheFields())
	setDefaults(&l.reader, &l.config.Relay.HTTP, httpFields())
	setDefaults(&l.reader, &l.config.Relay.Limits, limitFields())
	setDefaults(&l.reader, &l.config.Relay.ServerRequests, requestFields())
	return l
}

// The top-level keys. Clients and pan-mcp-relay have more than one spelling.
var (
	serverBlocks = []string{"mcpServers", "mcp_servers", "servers"}
	legacyBlocks = []string{"mcpRelay", "mcp_relay"}
	topSilent    = []string{"$schema", "inputs", "version", "name", "description"}
)

// read goes through the file. The order is that of strength: what comes later
// overrides; servers come when it is known who may be hidden.
func (l *loader) read(root *node) {
	l.unknownTop(root)
	for _, name := range legacyBlocks {
		if n := root.get(name); n != nil {
			l.variables.expandTree(n, false)
			l.readLegacy(n)
		}
	}
	l.airs.setEnvironment(l.opts.Environ)
	relay := root.get("relay")
	if relay != nil && relay.kind != nullKind {
		l.variables.expandTree(relay, false)
		readStrict(&l.reader, relay, &l.config.Relay, l.fields)
		for _, m := range relay.members {
			l.said[m.name] = m.value
		}
	}
	l.applyEnvironment()
	l.finishFront(relay)
	found := false
	for _, name := range serverBlocks {
		if n := root.get(name); n != nil {
			found = true
			l.readServers(n)
		}
	}
	l.checkServers(root, found)
	l.finishRelay(relay)
}

// unknownTop reports top-level keys: near misses as errors, the others, of
// which the files of some clients have dozens, in one warning.
func (l *loader) unknownTop(root *node) {
	known := slices.Concat(serverBlocks, legacyBlocks, []string{"relay"})
	var others []string
	for _, m := range root.members {
		if slices.Contains(known, m.name) || slices.Contains(topSilent, m.name) {
			continue
		}
		if near := nearest(m.name, known); near != "" {
			l.notes.problem(m.key, "did you mean "+near+"?", "unknown key %s", quote(m.name))
			continue
		}
		others = append(others, m.name)
	}
	if len(others) > 0 {
		l.notes.warn(nil, "", "top-level keys that are not read: %s", quoteAll(others))
	}
}

func (l *loader) checkServers(root *node, found bool) {
	enabled := slices.ContainsFunc(l.config.Servers, func(s Server) bool { return !s.Disabled })
	switch count := len(l.config.Servers); {
	case !found:
		l.notes.problem(root, "add an mcpServers block", "the file has no servers")
	case count == 0 && len(l.notes.problems) == 0:
		l.notes.problem(root, "add a server to mcpServers", "the file has no servers")
	case count > l.config.Relay.MaxServers:
		l.notes.problem(root, "raise relay.max_servers or remove some",
			"there are %d servers; at most %d are allowed", count, l.config.Relay.MaxServers)
	case count > 0 && !enabled:
		l.notes.warn(nil, "", "every server is disabled")
	}
	if allowed := l.config.Relay.AllowHidden; allowed != nil {
		l.checkNames(root, "allow_hidden", *allowed)
	}
	l.checkNames(root, "overlap", l.config.Relay.Overlap)
}

// checkNames warns of names in a list of servers that no server has.
func (l *loader) checkNames(root *node, key string, names []string) {
	for _, name := range names {
		if !slices.Contains(l.serverNames(), name) {
			at := root.get("relay").get(key)
			l.notes.warn(at, didYouMean(name, l.serverNames(), ""), "there is no server %s", quote(name))
		}
	}
}

// finishRelay checks what depends on servers, and makes paths absolute.
func (l *loader) finishRelay(relay *node) {
	audit := &l.config.Relay.Audit
	if audit.Path != "" && audit.Path != "-" {
		audit.Path = expandHome(audit.Path, l.opts.Home)
		if !filepath.IsAbs(audit.Path) {
			audit.Path = filepath.Join(l.reader.dir, audit.Path)
		}
	}
	l.finishScanners(relay.get("scanners"))
	l.finishPolicy(relay)
	if len(l.notes.problems) == 0 { // half-read scanners would cover too little
		l.checkCoverage(relay)
	}
}
