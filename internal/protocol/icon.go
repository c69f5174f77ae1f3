package protocol

import (
	"bytes"
	"strings"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// SafeIcons returns a definition without the icons that a client could be hurt by:
// it takes addresses with https: and images with data:, and nothing that only
// looks like one. A definition with good icons, or none, is returned as it is; all
// other members stay byte for byte.
func SafeIcons(definition []byte) []byte {
	icons, ok := jsonrpc.Member(definition, "icons")
	if !ok {
		return definition
	}
	kept := []byte{'['}
	all := len(icons) > 0 && icons[0] == '['
	for icon := range jsonrpc.Elements(icons) {
		if !safeIcon(icon) {
			all = false
			continue
		}
		if len(kept) > 1 {
			kept = append(kept, ',')
		}
		kept = append(kept, icon...)
	}
	switch {
	case all:
		return definition
	case len(kept) == 1:
		return jsonrpc.DeleteMember(definition, "icons")
	default:
		return jsonrpc.SetMember(definition, "icons", append(kept, ']'))
	}
}

func safeIcon(icon []byte) bool {
	src := jsonrpc.StringMember(icon, "src")
	for _, scheme := range []string{"https://", "data:image/"} {
		if len(src) > len(scheme) && strings.EqualFold(src[:len(scheme)], scheme) {
			// Readers of addresses leave control characters out, and would see another one.
			return strings.IndexFunc(src, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
		}
	}
	return false
}

// SafeResult returns a result without unsafe icons: those of the resources that its
// content names, and of the server in its metadata.
func SafeResult(result []byte) []byte {
	// Most results name no icon at all; an escape may hide the word.
	if !bytes.Contains(result, []byte(`"icons"`)) && !bytes.Contains(result, []byte(`\u00`)) {
		return result
	}
	if content, ok := jsonrpc.Member(result, "content"); ok {
		blocks, changed := []byte{'['}, false
		for block := range jsonrpc.Elements(content) {
			safe := SafeIcons(block)
			changed = changed || len(safe) != len(block)
			if len(blocks) > 1 {
				blocks = append(blocks, ',')
			}
			blocks = append(blocks, safe...)
		}
		if changed {
			result = jsonrpc.SetMember(result, "content", append(blocks, ']'))
		}
	}
	meta, _ := jsonrpc.Member(result, "_meta")
	if info, ok := jsonrpc.Member(meta, MetaServerInfo); ok {
		if safe := SafeIcons(info); len(safe) != len(info) {
			result = jsonrpc.SetMember(result, "_meta", jsonrpc.SetMember(meta, MetaServerInfo, safe))
		}
	}
	return result
}
