package definitions

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/registry"
)

// canonical returns one form of a definition for all that mean the same: as RFC
// 8785 has it, but with numbers as they are written, so that no two different
// ones look alike. What has no such form stays as it is.
func canonical(k registry.Kind, raw []byte) string {
	text := jsontext.Value(bytes.Clone(steady(k, raw)))
	if text.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)) != nil {
		return string(raw)
	}
	return string(text)
}

// steady returns a definition without what tells of the resource's present
// content: how long it is and when it was changed. Neither can hold a word.
func steady(k registry.Kind, raw []byte) []byte {
	if k != registry.Resources && k != registry.Templates {
		return raw
	}
	if size, ok := jsonrpc.Member(raw, "size"); ok && isNumber(size) {
		raw = jsonrpc.DeleteMember(raw, "size")
	}
	notes, ok := jsonrpc.ObjectMember(raw, "annotations")
	if !ok {
		return raw
	}
	const key = "lastModified"
	if _, err := time.Parse(time.RFC3339, jsonrpc.StringMember(notes, key)); err != nil {
		return raw
	}
	if notes = jsonrpc.DeleteMember(notes, key); string(bytes.Join(bytes.Fields(notes), nil)) == "{}" {
		return jsonrpc.DeleteMember(raw, "annotations")
	}
	return jsonrpc.SetMember(raw, "annotations", notes)
}

func isNumber(raw []byte) bool {
	return len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
}

// hashOf returns the hash by which a form is known.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
