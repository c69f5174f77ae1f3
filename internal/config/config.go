package config

import (
	"encoding/json"
	"path"
	"slices"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Config is a validated configuration. It is not changed after [Load].
type Config struct {
	Servers  []Server // in file order
	Relay    Relay
	Path     string // absolute path of the file
	Digest   string // of what was read, in hexadecimal: the file, and if they were needed the .env file and which plugins are installed
	Warnings []Diagnostic
}

// The types of a server.
const (
	TypeStdio = "stdio"
	TypeHTTP  = "http" // Streamable HTTP
	TypeSSE   = "sse"  // the old HTTP with SSE
)

// Server is one configured downstream. Env and Headers hold secrets: do not
// print them.
type Server struct {
	Name string
	Type string // TypeStdio, TypeHTTP or TypeSSE; may be empty when Disabled

	Command string // absolute, or a bare name to be looked up in PATH
	Args    []string
	Env     map[string]string
	Dir     string // absolute; the directory of the file unless cwd says otherwise

	URL     string
	Headers map[string]string // canonical names

	Disabled      bool          // not started; nothing else is checked
	Hidden        bool          // not scanned, in effect
	HiddenRefused bool          // asked for hidden_mode; relay.allow_hidden does not name it
	InheritEnv    bool          // gets the relay's whole environment
	Timeout       time.Duration // of a call; 0 means relay.call_timeout
	Sandbox       bool          // a program of TypeStdio without access to the relay's own files

	Protocol string   // ProtocolAuto, ProtocolLegacy or ProtocolModern
	Requests Requests // what the server may ask of clients
	OAuth    *OAuth   // nil: the file says nothing, and the defaults hold
}

// The values of [Server.Protocol].
const (
	ProtocolAuto   = "auto" // found out by asking the server
	ProtocolLegacy = "legacy"
	ProtocolModern = "modern"
)

// Relay is the section of our own.
type Relay struct {
	Naming         string // prefix or bare
	MaxName        int    // characters of a public tool name
	StartTimeout   time.Duration
	CallTimeout    time.Duration // 0: none
	RelistInterval time.Duration // 0: never without a list_changed
	MaxServers     int
	MaxTools       int
	MaxMessage     int // bytes
	AllowUnscanned []verdict.Phase
	ScanBudget     time.Duration // of all scanners together over one message
	Uninspected    string        // Auto or one of UninspectedAllow, …Flag, …Block, …Strip
	Exceptions     []Exception
	Definitions    Definitions
	VerdictCache   Cache
	AllowSelfEdit  bool      // calls may name the relay's own files
	Watch          bool      // the file is watched
	AllowHidden    *[]string // nil: any server that asks
	Overlap        []string  // servers whose reading calls are sent while they are judged
	Scanners       []Scanner
	Audit          Audit
	Front          Front
	HTTP           HTTP
	Isolation      string // IsolationShared, IsolationPrincipal or IsolationSession; empty: automatic
	Limits         Limits
	PageSize       int           // items of a page of a list
	ParkedTTL      time.Duration // how long a parked call waits for its client
	MaxInputRounds int           // how often one call may ask for input
	ServerRequests Requests      // what servers may ask of clients, where they have no requests of their own
	LogLevel       string        // debug, info, warn or error
	// ScannersImplied says why the default scanners were chosen; it is empty
	// when the file has a list of its own.
	ScannersImplied string
}

// The modes of a scanner and its policies for failures.
const (
	ModeEnforce = "enforce"
	ModeObserve = "observe"
	PolicyBlock = "block"
	PolicyAllow = "allow"
)

// Scanner is one configured scanner. Config holds secrets: do not print it.
type Scanner struct {
	Name           string
	Plugin         string // a bundled name, or the absolute path of a program
	Bundled        bool
	Installed      *Installed // what Plugin and SHA256 come from; nil: the file itself
	SHA256         string     // lower-case hex, or empty
	Args           []string
	Config         json.RawMessage // a JSON object, or nil
	Phases         []verdict.Phase // never empty
	Servers        []string        // patterns; see Covers
	Mode           string          // ModeEnforce, ModeObserve or ModeOff
	OnError        string          // outages: PolicyBlock, PolicyAllow or PolicyFallback
	Fallback       string          // name of another scanner, with PolicyFallback
	Stage          *int            // nil: 0, or 1 when it needs the network
	Threshold      string          // a severity, or empty
	Cache          string          // Auto, CacheTrue, CacheFalse or CacheDefinitions
	Sandbox        string          // Auto, SandboxAlways or SandboxNever
	Overrides      []Override
	OnContentError string // failures that content caused: PolicyBlock or PolicyAllow
	Timeout        time.Duration
	MayRewrite     bool
	RedactRequests bool
	MaxConcurrent  int // 0: what the scanner says of itself
}

// Covers reports whether the scanner judges content of a phase of a server.
func (s *Scanner) Covers(server string, phase verdict.Phase) bool {
	return slices.Contains(s.Phases, phase) && slices.ContainsFunc(s.Servers, func(pattern string) bool {
		return matches(pattern, server)
	})
}

// matches reports whether a pattern of a scanner names a server. A star alone
// names all, also those with a slash in the name, where path.Match stops.
func matches(pattern, server string) bool {
	if pattern == "*" || pattern == server {
		return true
	}
	ok, err := path.Match(pattern, server)
	return ok && err == nil
}

func validPattern(pattern string) bool {
	_, err := path.Match(pattern, "")
	return err == nil && pattern != ""
}

// Audit says where the record of decisions goes.
type Audit struct {
	Path       string // "-" is stderr, "" the default place; else absolute
	OnError    string // PolicyAllow or PolicyBlock
	MaxSizeMB  int
	MaxBackups int
	Disabled   bool
}

// Gap is a phase of a server that no scanner enforces.
type Gap struct {
	Server string
	Phase  verdict.Phase
}

// Uncovered lists what would pass unjudged: the phases that must be covered
// for every server that is neither disabled nor hidden, minus AllowUnscanned.
// Notifications are not among them: text in an uncovered one is removed.
func Uncovered(c *Config) []Gap {
	var gaps []Gap
	for _, phase := range verdict.Phases {
		if phase == verdict.Notification || slices.Contains(c.Relay.AllowUnscanned, phase) {
			continue
		}
		for i := range c.Servers {
			s := &c.Servers[i]
			if !s.Disabled && !s.Hidden && !c.Relay.enforces(s.Name, phase) {
				gaps = append(gaps, Gap{Server: s.Name, Phase: phase})
			}
		}
	}
	return gaps
}

func (r *Relay) enforces(server string, phase verdict.Phase) bool {
	return slices.ContainsFunc(r.Scanners, func(s Scanner) bool {
		return s.Enforces(server, phase)
	})
}
