package selfedit

import "github.com/mcp-relay/relay/internal/clientfile"

// Clients adds the configurations of known MCP clients to what is protected.
func (o *Options) Clients(p clientfile.Places) {
	o.Suffixes = append(o.Suffixes, clientfile.InProjects()...)
	o.Dirs = append(o.Dirs, clientfile.Dirs(p)...)
	for _, f := range clientfile.All(p) {
		o.Files = append(o.Files, f.Path)
	}
}
