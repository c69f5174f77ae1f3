package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mcp-relay/relay/internal/config"
	"github.com/mcp-relay/relay/internal/sandbox"
)

// confineServer returns what starts a server's program without access to the
// relay's own files and clients' configurations, or nil when the server does not
// ask for it. What is beside those files is looked at anew at each start.
func confineServer(cfg *config.Config, c *config.Server) func(start func()) error {
	if !c.Sandbox {
		return nil
	}
	hidden := hiddenFromServers(cfg)
	return func(start func()) error {
		makeCaches(c)
		confinement, err := sandbox.Open{Hidden: hidden}.Prepare()
		if err != nil {
			return fmt.Errorf("confining the server: %w", err)
		}
		defer confinement.Close()
		return confinement.Run(start) //nolint:wrapcheck // it says what was attempted
	}
}

// hiddenFromServers lists what a confined server has no access to: what calls may
// not name, except where hiding it would take more from the server than it keeps
// from it.
func hiddenFromServers(cfg *config.Config) []string {
	o := selfEdit(cfg)
	hidden := slices.Concat(o.Files, o.Dirs)
	return slices.DeleteFunc(hidden, func(path string) bool {
		switch {
		case !filepath.IsAbs(path):
			return true
		case path == runDir() && filepath.Dir(path) == filepath.Clean(os.TempDir()):
			return true // nobody could make a temporary file any more
		default:
			// Certificates that a scanner's configuration names are everybody's.
			return path != cfg.Path && slices.ContainsFunc([]string{"/etc/ssl/", "/etc/pki/", "/etc/ca-certificates/", "/usr/"},
				func(dir string) bool { return strings.HasPrefix(path, dir) })
		}
	})
}

// caches are the directories below the home that package runners make when they
// are missing, which a confined program cannot. They have .cache too.
var caches = map[string]string{
	"npx": ".npm", "npm": ".npm", "pnpm": ".local/share/pnpm", "yarn": ".yarn", "bunx": ".bun", "bun": ".bun", "deno": ".deno",
	"uvx": ".local/share/uv", "uv": ".local/share/uv", "pipx": ".local/share/pipx",
}

// makeCaches makes the directories that a server's command would make.
func makeCaches(c *config.Server) {
	home, err := os.UserHomeDir()
	if err != nil {
		return
	}
	if given, ok := c.Env["HOME"]; ok {
		home = given
	}
	own, ok := caches[filepath.Base(c.Command)]
	for _, dir := range []string{own, ".cache"} {
		if ok && filepath.IsAbs(home) {
			_ = os.MkdirAll(filepath.Join(home, filepath.FromSlash(dir)), 0o755) // the program says what it misses
		}
	}
}
