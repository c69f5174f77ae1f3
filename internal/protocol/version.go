package protocol

import "slices"

// Revisions of the legacy era, oldest first.
var legacyVersions = []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}

// LatestLegacy is the newest revision with a handshake.
const LatestLegacy = "2025-11-25"

// Negotiate returns the revision that the relay speaks with a client that asks
// for the given one: the same where the relay knows it, else the newest (MCP
// 2025-11-25, lifecycle, version negotiation).
func Negotiate(asked string) string {
	if KnownLegacy(asked) {
		return asked
	}
	return LatestLegacy
}

// KnownLegacy reports whether v is a revision of the legacy era.
func KnownLegacy(v string) bool { return slices.Contains(legacyVersions, v) }
