package cli

import (
	"strings"

	"github.com/mcp-relay/relay/internal/verdict"
)

func phaseList(phases []verdict.Phase) string {
	names := make([]string, 0, len(phases))
	for _, p := range phases {
		names = append(names, p.String())
	}
	return strings.Join(names, ",")
}
