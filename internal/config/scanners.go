package config

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mcp-relay/relay/internal/verdict"
)

// The scanners that every relay binary carries.
const (
	bundledAIRS  = "panscanner"
	bundledGuard = "guard"
)

var bundledNames = []string{bundledGuard, "noop", bundledAIRS}

var (
	sha256Pattern      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-f]{64}$`) })
	scannerNamePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`) })
)

// finishScanners checks what one key alone does not show, and fills in what
// was left out. n is the list in the file, nil when there is none.
func (l *loader) finishScanners(n *node) {
	if n == nil {
		l.implyScanners()
		return
	}
	seen := map[string]bool{}
	for i := range l.config.Relay.Scanners {
		s, at := &l.config.Relay.Scanners[i], n.item(i)
		l.finishName(s, at, seen)
		l.finishPlugin(s, at)
		l.finishPhases(s, at)
		l.finishServers(s, at)
		if s.OnContentError == PolicyAllow {
			l.notes.warn(at.get("on_content_error"), "",
				"content that makes %s fail passes unjudged; its author can see to that", quote(s.Name))
		}
		if s.Plugin == bundledAIRS {
			s.Config = l.airs.complete(s.Config, l.opts.Environ)
		}
		if s.Plugin == bundledGuard {
			s.Config = l.ruleFiles(s.Config)
		}
	}
}

func (l *loader) finishName(s *Scanner, at *node, seen map[string]bool) {
	name := at.get("name")
	switch {
	case name == nil || name.kind != stringKind || name.broken: // reported before
	case !scannerNamePattern().MatchString(s.Name):
		l.notes.problem(name, "use up to 64 letters, digits, dots, - and _", "this cannot be the name of a scanner")
	case seen[s.Name]:
		l.notes.problem(name, "give each scanner a name of its own", "the name %s is used twice", quote(s.Name))
	}
	seen[s.Name] = true
}

func (l *loader) finishPlugin(s *Scanner, at *node) {
	plugin := at.get("plugin")
	if plugin == nil || plugin.kind != stringKind || plugin.broken {
		return // reported before
	}
	s.SHA256 = strings.ToLower(s.SHA256)
	if sum := at.get("sha256"); sum != nil && sum.kind == stringKind && !sum.broken && !sha256Pattern().MatchString(s.SHA256) {
		l.notes.problem(sum, "write what sha256sum prints", "this is not a SHA-256 checksum: 64 hex digits")
	}
	if slices.Contains(bundledNames, s.Plugin) {
		s.Bundled = true
		for _, key := range []string{"sha256", "args"} {
			if extra := at.get(key); extra != nil {
				l.notes.problem(extra, "remove it, or give the path of a program",
					"%s is for programs; %s is part of the relay", key, s.Plugin)
			}
		}
		return
	}
	given := filepath.FromSlash(expandHome(s.Plugin, l.opts.Home))
	switch {
	case filepath.IsAbs(given):
		s.Plugin = filepath.Clean(given)
	case strings.HasPrefix(given, "."+string(filepath.Separator)), strings.HasPrefix(given, ".."+string(filepath.Separator)):
		s.Plugin = filepath.Join(l.reader.dir, given)
	case strings.ContainsRune(given, filepath.Separator):
		l.notes.problem(plugin, "write ./ before a path that is relative to this file",
			"this path is neither absolute nor explicitly relative")
	default:
		l.finishInstalled(s, plugin, at)
	}
}

func (l *loader) finishPhases(s *Scanner, at *node) {
	switch given := at.get("phases"); {
	case given == nil:
		s.Phases = slices.Clone(verdict.Phases)
	case given.kind == listKind && len(given.items) == 0:
		l.notes.problem(given, "remove the key to judge all phases", "the list of phases is empty")
	}
}

func (l *loader) finishServers(s *Scanner, at *node) {
	given := at.get("servers")
	if given == nil {
		s.Servers = []string{"*"}
		return
	}
	if given.kind == listKind && len(given.items) == 0 {
		l.notes.problem(given, "remove the key to judge all servers", "the list of servers is empty")
	}
	for i, pattern := range s.Servers {
		if !validPattern(pattern) {
			l.notes.problem(given.item(i), "a star stands for any characters, [ab] for one of them", "this is not a pattern")
		} else if !slices.ContainsFunc(l.config.Servers, func(srv Server) bool { return matches(pattern, srv.Name) }) {
			l.notes.warn(given.item(i), didYouMean(pattern, l.serverNames(), ""), "no server matches %s", given.item(i).shown())
		}
	}
}

// implyScanners chooses the scanners of a file that names none.
func (l *loader) implyScanners() {
	guard := Scanner{Plugin: bundledGuard, Name: bundledGuard, Phases: slices.Clone(verdict.Phases)}
	scanners := []Scanner{guard}
	if l.airs.present() {
		scanners[0].Phases = []verdict.Phase{verdict.Notification}
		pan := Scanner{
			Plugin: bundledAIRS, Name: bundledAIRS, Config: l.airs.complete(nil, l.opts.Environ),
			Phases: []verdict.Phase{verdict.Definition, verdict.Request, verdict.Response, verdict.ServerRequest},
		}
		scanners = []Scanner{pan, scanners[0]}
		if l.airs.profile == "" {
			l.notes.general("",
				"set PRISMA_AIRS_AI_PROFILE", "no AI profile is named: Prisma AIRS uses the one that belongs to the key")
		}
		l.config.Relay.ScannersImplied = "AIRS credentials are in " + l.airs.source +
			": panscanner judges everything but notifications, which guard judges"
	} else {
		l.config.Relay.ScannersImplied = "there are no AIRS credentials: guard judges everything, on this machine"
		l.notes.general("",
			"set PRISMA_AIRS_API_KEY and PRISMA_AIRS_AI_PROFILE to use Prisma AIRS, or list relay.scanners to make this choice your own",
			"%s", l.config.Relay.ScannersImplied)
	}
	for i := range scanners {
		s := scanners[i]
		setDefaults(&l.reader, &s, scannerFields())
		s.Bundled, s.Servers = true, []string{"*"}
		scanners[i] = s
	}
	l.config.Relay.Scanners = scanners
}

// checkCoverage refuses a configuration that would let content pass unjudged.
func (l *loader) checkCoverage(relay *node) {
	servers := map[verdict.Phase][]string{}
	for _, gap := range Uncovered(l.config) {
		servers[gap.Phase] = append(servers[gap.Phase], gap.Server)
	}
	at := relay.get("scanners")
	if at == nil {
		at = relay
	}
	for i, phase := range verdict.Phases {
		if len(servers[phase]) == 0 {
			continue
		}
		same := []string{phase.String()}
		for _, other := range verdict.Phases[i+1:] {
			if slices.Equal(servers[other], servers[phase]) {
				same = append(same, other.String())
				delete(servers, other)
			}
		}
		list := strings.Join(same, ", ")
		l.notes.problem(at, "add "+list+" to the phases of a scanner in mode enforce that covers them, or to relay.allow_unscanned",
			"no scanner enforces %s of %s", list, quoteAll(servers[phase]))
	}
}
