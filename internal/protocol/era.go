package protocol

import "slices"

// Era says how a client or server speaks: with a handshake and a session, or
// with everything in every request.
type Era uint8

// The eras. The zero value is the legacy one, which is what a peer speaks that
// does not say otherwise.
const (
	Legacy Era = iota // revisions up to 2025-11-25
	Modern            // 2026-07-28 on
)

// String returns the era's name, for logs.
func (e Era) String() string {
	if e == Modern {
		return "modern"
	}
	return "legacy"
}

// LatestModern is the newest revision without a handshake.
const LatestModern = "2026-07-28"

// Revisions of the modern era, newest first.
var modernVersions = []string{LatestModern}

// KnownModern reports whether v is a revision of the modern era that the relay
// knows.
func KnownModern(v string) bool { return slices.Contains(modernVersions, v) }

// EraOf returns the era of a revision. A date that the relay does not know
// belongs to the modern era when it is later than the last one with a
// handshake; what is not a date, and "", belong to the legacy era.
func EraOf(version string) Era {
	if isDate(version) && version > LatestLegacy {
		return Modern
	}
	return Legacy
}

// Supported returns all revisions that the relay speaks, the newest first, as
// server/discover and the error for an unknown revision list them. The caller
// may change it.
func Supported() []string {
	all := slices.Clone(modernVersions)
	for _, v := range slices.Backward(legacyVersions) {
		all = append(all, v)
	}
	return all
}

func isDate(v string) bool {
	const layout = "2006-01-02"
	if len(v) != len(layout) {
		return false
	}
	for i := range len(v) {
		if c := v[i]; (layout[i] == '-') != (c == '-') || c != '-' && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
