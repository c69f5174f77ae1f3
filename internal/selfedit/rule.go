package selfedit

import (
	"bytes"
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/internal/scan"
	"github.com/mcp-relay/relay/internal/verdict"
)

// Options say what is protected. Paths are absolute; others are ignored. Nothing
// of it need exist.
type Options struct {
	// Files are protected as such, Dirs with everything in them.
	Files, Dirs []string
	// Prefixes protect the files of a directory whose names begin as the last
	// element does.
	Prefixes []string
	// Suffixes protect files wherever they are: the last elements of a path,
	// with slashes.
	Suffixes []string
	// Bases are the directories from which a relative path may be taken.
	Bases []string
	// Home is what ~ means. Variables are those that a path may be spelled with.
	Home      string
	Variables map[string]string
}

// The id and the category of what the rule finds.
const (
	RuleID   = "relay/self-edit"
	Category = "policy.self_edit"
)

var _ scan.Rule = (*Rule)(nil)

// Rule judges requests. It is safe for concurrent use.
type Rule struct {
	opts    Options
	spell   speller
	mu      sync.Mutex
	current *protected
}

// New returns a rule. It asks the file system only when a request comes.
func New(opts Options) *Rule { return &Rule{opts: opts, spell: newSpeller(&opts)} }

// Name returns the name of the rule.
func (*Rule) Name() string { return RuleID }

// fresh is how long what is known of the protected files holds: they may be
// created, replaced or linked meanwhile.
const fresh = 2 * time.Second

// places returns what is protected: as the file system has it now, or as it was
// when somebody asked last.
func (r *Rule) places(now bool) *protected {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil || now && time.Since(r.current.taken) > fresh {
		r.current = newProtected(&r.opts)
	}
	return r.current
}

// maxFindings is how many strings of one request are named.
const maxFindings = 16

// Judge returns a finding for each string of a request that leads to something
// protected.
func (r *Rule) Judge(s *scan.Subject) []verdict.Finding {
	if s.Content.Phase != verdict.Request || len(s.Content.Data) == 0 {
		return nil
	}
	i := newInquiry(r)
	dec := decoderOf(s.Content.Data)
	defer func() {
		dec.Reset(nothing{}) // what was asked does not stay in memory
		decoders.Put(dec)
	}()
	for len(i.findings) < maxFindings {
		if dec.PeekKind() != '"' {
			if _, err := dec.ReadToken(); err != nil {
				break // the end; what is not JSON does not get this far
			}
			continue
		}
		raw, err := dec.ReadValue()
		if err != nil {
			break
		}
		if len(raw) > len(`""`) {
			kind, length := dec.StackIndex(dec.StackDepth())
			name := kind == '{' && length%2 == 1
			i.text(unquoted(raw), !name, func() string { return string(dec.StackPointer()) })
		}
	}
	i.together()
	return i.findings
}

// decoders keeps the memory of decoders from one request to the next.
var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// nothing is an empty text.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.EOF }

func decoderOf(data []byte) *jsontext.Decoder {
	dec, _ := decoders.Get().(*jsontext.Decoder)
	dec.Reset(bytes.NewBuffer(data), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	return dec
}

func unquoted(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}
	text, _ := jsontext.AppendUnquote(make([]byte, 0, len(raw)), raw)
	return string(text)
}

// found adds a finding for the string at pointer.
func (i *inquiry) found(pointer string) {
	for _, f := range i.findings {
		if f.Location.Pointer == pointer {
			return
		}
	}
	i.findings = append(i.findings, verdict.Finding{
		Rule: RuleID, Category: Category, Severity: verdict.Critical, Confidence: 1,
		Message:  "leads to a file of the relay, or to the configuration of an MCP client; relay.allow_self_edit lets it pass",
		Location: verdict.Location{Pointer: pointer},
	})
}
