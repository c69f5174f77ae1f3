package registry

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// Naming says how public names are made.
type Naming uint8

// The ways of naming.
const (
	// Prefix: server__tool.
	Prefix Naming = iota
	// Bare: the tool's own name; on a clash the later one is prefixed.
	Bare
)

// hashLen is the length of the hash in a public name: 16 characters of base 32
// are 80 bits, out of reach of somebody who searches for a collision.
const hashLen = 16

var compact = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// prefixed returns the public name server__tool. Where a character had to be
// mapped, the name had to be cut, or the border between the parts would not be
// plain, a hash of both original names makes it injective.
func prefixed(server, tool string, limit int) string {
	s, t := mapped(server), mapped(tool)
	name := s + "__" + t
	plain := s == server && t == tool && plainServer(server) && !strings.Contains(tool, "__") && tool != "" && !hashed(tool)
	if plain && len(name) <= limit {
		return name
	}
	sum := sha256.Sum256([]byte(server + "\x00" + tool))
	hash := compact.EncodeToString(sum[:])[:hashLen]
	if room := limit - hashLen - 1; len(name) > room {
		name = name[:room]
	}
	return name + "_" + hash
}

// hashed reports whether the tool's name ends like one that prefixed made: it
// could be the public name of a server whose name had to be mapped.
func hashed(tool string) bool {
	border := len(tool) - hashLen - 1
	return border >= 0 && tool[border] == '_' && strings.Trim(tool[border+1:], "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// plainServer reports whether the server's name ends where the first "__"
// begins, whatever the tool's name is.
func plainServer(server string) bool {
	return server != "" && !strings.Contains(server, "__") &&
		!strings.HasPrefix(server, "_") && !strings.HasSuffix(server, "_")
}

// mapped replaces what is not in [A-Za-z0-9_-] by an underscore.
func mapped(s string) string {
	return strings.Map(func(r rune) rune {
		if isNameRune(r) {
			return r
		}
		return '_'
	}, s)
}

func isNameRune(r rune) bool {
	return r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// bareOK reports whether clients take the name as it is (MCP 2025-11-25,
// tools, tool names).
func bareOK(name string) bool {
	if name == "" || len(name) > 128 {
		return false
	}
	for _, r := range name {
		if !isNameRune(r) && r != '.' && r != '/' {
			return false
		}
	}
	return true
}
