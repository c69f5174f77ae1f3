package plugin

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mcp-relay/relay/internal/verdict"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// Contract names the contract with scanners, and its version.
const Contract = scannerv1.ScannerService_Scan_FullMethodName

// Info is what a scanner says about itself. Its strings are checked but foreign.
type Info struct {
	Name, Version, SDK string
	ConfigSchema       json.RawMessage // nil: none
	Phases             []verdict.Phase // nil: all
	Kinds              []verdict.Kind  // nil: all
	MaxConcurrent      int             // 0: no limit of its own
	Deterministic      bool            // same content, same verdict
	NeedsNetwork       bool            // content leaves the machine
	SelfContained      bool            // needs neither network nor files of others
	UsesInventory      bool            // judges definitions with what other servers offer
	Configurable       bool
	Batch              bool
	// Sandbox says in words how the process is confined that said all this. It is
	// the relay's own word.
	Sandbox string
}

// Covers reports whether the scanner judges content of this phase and kind.
func (i *Info) Covers(p verdict.Phase, k verdict.Kind) bool {
	return (i.Phases == nil || slices.Contains(i.Phases, p)) && (i.Kinds == nil || slices.Contains(i.Kinds, k))
}

var validName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`) })

// infoFrom checks and converts a description.
func infoFrom(p *scannerv1.DescribeResponse) (Info, error) {
	info := Info{
		Name: p.GetName(), Version: p.GetVersion(), SDK: p.GetSdkVersion(),
		MaxConcurrent: int(p.GetMaxConcurrent()),
		Deterministic: p.GetDeterministic(), NeedsNetwork: p.GetNeedsNetwork(),
		SelfContained: p.GetSelfContained() && !p.GetNeedsNetwork(),
		UsesInventory: p.GetUsesInventory(),
		Configurable:  p.GetConfigurable(), Batch: p.GetBatch(),
	}
	for _, phase := range p.GetPhases() {
		if phase > 0 && phase <= scannerv1.Phase_PHASE_NOTIFICATION {
			info.Phases = append(info.Phases, verdict.Phase(phase))
		}
	}
	for _, kind := range p.GetKinds() {
		if kind > 0 && kind <= scannerv1.Kind_KIND_BLOB {
			info.Kinds = append(info.Kinds, verdict.Kind(kind))
		}
	}
	if schema := p.GetConfigSchema(); schema != "" {
		info.ConfigSchema = json.RawMessage(schema)
	}
	if err := info.check(p); err != nil {
		return Info{}, err
	}
	return info, nil
}

// check says why a description cannot be used.
func (i *Info) check(p *scannerv1.DescribeResponse) error {
	switch {
	case !validName().MatchString(i.Name) || strings.Contains(i.Name, ".."):
		return errors.New("the scanner's name is not one")
	case i.Version == "" || len(i.Version) > handshake.MaxName || len(i.SDK) > handshake.MaxName:
		return errors.New("the scanner's version is missing or too long")
	case len(i.ConfigSchema) > handshake.MaxConfig || i.ConfigSchema != nil && !json.Valid(i.ConfigSchema):
		return errors.New("the schema of the scanner's configuration is too long or not JSON")
	case len(p.GetPhases()) > 0 && i.Phases == nil:
		return errors.New("the scanner judges only phases that this relay does not know: update the relay")
	case len(p.GetKinds()) > 0 && i.Kinds == nil:
		return errors.New("the scanner judges only kinds that this relay does not know: update the relay")
	}
	return nil
}
