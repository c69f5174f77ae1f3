package scanner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"unicode"

	"github.com/mcp-relay/relay/scanner/handshake"
)

// infoOf returns what a scanner says of itself with the gaps filled in, or what
// its author must correct.
func infoOf(s Scanner) (Info, error) {
	var info Info
	if d, ok := s.(Describer); ok {
		info = d.Describe()
	}
	if info.Name == "" {
		info.Name = programName()
	}
	if info.Version == "" {
		info.Version = moduleVersion()
	}
	_, configurable := s.(Configurer)
	switch {
	case !validName(info.Name):
		return Info{}, fmt.Errorf("scanner name %q is invalid: use 1 to %d of a-z, 0-9, '.', '_' and '-', no leading sign and no '..'",
			info.Name, handshake.MaxName)
	case len(info.Version) > handshake.MaxName:
		return Info{}, fmt.Errorf("scanner version is longer than %d bytes", handshake.MaxName)
	case info.MaxConcurrent < 0 || info.MaxConcurrent > math.MaxInt32:
		return Info{}, errors.New("Info.MaxConcurrent is out of range: use 0 for no limit")
	case info.NeedsNetwork && info.SelfContained:
		return Info{}, errors.New("Info.SelfContained says that there is no need of a network, Info.NeedsNetwork that there is")
	case len(info.ConfigSchema) > 0 && !configurable:
		return Info{}, errors.New("the scanner has a configuration schema but no Configure method")
	case len(info.ConfigSchema) > handshake.MaxConfig:
		return Info{}, fmt.Errorf("Info.ConfigSchema is longer than %d bytes", handshake.MaxConfig)
	case len(info.ConfigSchema) > 0 && !isObject(info.ConfigSchema):
		return Info{}, errors.New("Info.ConfigSchema is not a JSON object")
	default:
		return info, nil
	}
}

// description is what the describe sub-command prints.
type description struct {
	Name          string          `json:"name"`
	Version       string          `json:"version"`
	SDKVersion    string          `json:"sdk_version"`
	Protocol      int             `json:"protocol"`
	Phases        []string        `json:"phases"`
	Kinds         []string        `json:"kinds"`
	MaxConcurrent int             `json:"max_concurrent"`
	Deterministic bool            `json:"deterministic"`
	NeedsNetwork  bool            `json:"needs_network"`
	SelfContained bool            `json:"self_contained"`
	UsesInventory bool            `json:"uses_inventory"`
	Configurable  bool            `json:"configurable"`
	Batch         bool            `json:"batch"`
	ConfigSchema  json.RawMessage `json:"config_schema,omitempty"`
}

// describe writes what a scanner is as JSON, without any handshake.
func describe(w io.Writer, s Scanner, info Info) error {
	d := description{
		Name:          info.Name,
		Version:       info.Version,
		SDKVersion:    sdkVersion(),
		Protocol:      handshake.ProtocolVersion,
		Phases:        names(info.Phases, PhaseDefinition, PhaseRequest, PhaseResponse, PhaseServerRequest, PhaseNotification),
		Kinds:         names(info.Kinds, KindJSON, KindText, KindBlob),
		MaxConcurrent: info.MaxConcurrent,
		Deterministic: info.Deterministic,
		NeedsNetwork:  info.NeedsNetwork,
		SelfContained: info.SelfContained,
		UsesInventory: info.UsesInventory,
		ConfigSchema:  info.ConfigSchema,
	}
	_, d.Configurable = s.(Configurer)
	_, d.Batch = s.(BatchScanner)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("write the description: %w", err)
	}
	return nil
}

// names spells the values that a scanner listed, or all when it listed none.
func names[T fmt.Stringer](listed []T, all ...T) []string {
	if len(listed) == 0 {
		listed = all
	}
	spelled := make([]string, len(listed))
	for i, v := range listed {
		spelled[i] = v.String()
	}
	return spelled
}

func validName(name string) bool {
	if name == "" || len(name) > handshake.MaxName || strings.Contains(name, "..") {
		return false
	}
	for i := range len(name) {
		c := name[i]
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alphanumeric && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return true
}

func isObject(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) && json.Valid(text)
}

// programName makes a valid name of the program's.
func programName() string {
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	name = strings.Map(func(r rune) rune {
		if r = unicode.ToLower(r); validName("a" + string(r)) {
			return r
		}
		return '-'
	}, name)
	name = strings.TrimLeft(strings.ReplaceAll(name, "..", "--"), "._-")
	if name = name[:min(len(name), handshake.MaxName)]; name == "" {
		return "scanner"
	}
	return name
}

func moduleVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" && len(build.Main.Version) <= handshake.MaxName {
		return build.Main.Version
	}
	return "(devel)"
}

// sdkVersion returns the version of the module that this package belongs to.
func sdkVersion() string {
	const module = "github.com/mcp-relay/relay"
	version := "(devel)"
	if build, ok := debug.ReadBuildInfo(); ok {
		if build.Main.Path == module && build.Main.Version != "" {
			version = build.Main.Version
		}
		for _, dep := range build.Deps {
			if dep.Path == module {
				version = dep.Version
			}
		}
	}
	sdk := "go " + version
	return sdk[:min(len(sdk), handshake.MaxName)]
}
