package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcp-relay/relay/internal/bundled"
	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/plugin"
	"github.com/mcp-relay/relay/internal/sandbox"
	"github.com/mcp-relay/relay/scanner"
)

// sandboxes are the values of a scanner's sandbox.
var sandboxes = map[string]plugin.Sandbox{
	config.Auto: plugin.SandboxAuto, config.SandboxAlways: plugin.SandboxAlways, config.SandboxNever: plugin.SandboxNever,
}

// bundledLimits bound a bundled scanner: more memory than many large contents
// at once take, and more descriptors than connections it may have.
var bundledLimits = sandbox.Limits{Data: 4 << 30, Files: 4096}

// bundledNeeds returns what a bundled scanner with this configuration needs, or
// nil when there is no such scanner.
func bundledNeeds(name string, given json.RawMessage) *plugin.Needs {
	s, ok := bundled.New(name)
	if !ok {
		return nil
	}
	d, ok := s.(scanner.Describer)
	if !ok {
		return nil
	}
	// A member that is not what it should be is the scanner's to report.
	var members struct {
		CAFile string   `json:"ca_file"`
		Rules  []string `json:"rules"`
	}
	_ = json.Unmarshal(given, &members)
	if d.Describe().SelfContained {
		return &plugin.Needs{Files: absolute(members.Rules...)}
	}
	n := &plugin.Needs{Network: true, Files: sandbox.NetworkFiles()}
	n.Files = append(n.Files, absolute(members.CAFile, os.Getenv("SSL_CERT_FILE"))...)
	n.Files = append(n.Files, absolute(filepath.SplitList(os.Getenv("SSL_CERT_DIR"))...)...)
	return n
}

// absolute returns those of the paths that do not depend on a directory.
func absolute(paths ...string) []string {
	var list []string
	for _, path := range paths {
		if filepath.IsAbs(strings.TrimSpace(path)) {
			list = append(list, path)
		}
	}
	return list
}
