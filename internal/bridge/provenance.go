package bridge

import (
	"bytes"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/protocol"
)

// MetaServer is the key of _meta under which the relay says which server asks.
const MetaServer = "mcp-relay/server"

// Provenance returns the params of a server's request for a client that sees one
// server where there are several: they say which one asks, where a person
// looks and where a program does. It is idempotent, and for relays of more than
// one server only; with one, messages stay as they are.
//
// The message of an elicitation begins with "[server] ". Whatever the server
// wrote that looks like such a mark is taken away, and so are control
// characters and those that turn the direction of text. In a sampling request the
// mark begins the system prompt, or the first text where there is no prompt;
// the context that it asks for is none, because it would be that of all servers.
// In requests of every method _meta has the name. All other bytes are unchanged;
// params may be nil. What is not an object comes back as it is.
func Provenance(server, method string, params []byte) []byte {
	if len(params) > 0 && params[0] != '{' {
		return params
	}
	switch method {
	case protocol.Elicit:
		message, _ := textMember(params, "message")
		params = setText(params, "message", markMessage(server, message))
	case protocol.CreateMessage:
		params = markSampling(server, params)
	}
	meta, found := jsonrpc.Member(params, "_meta")
	if !found || meta[0] != '{' {
		meta = nil
	}
	return jsonrpc.SetMember(params, "_meta", setText(meta, MetaServer, server))
}

// markSampling marks what a person is shown first when asked whether a server
// may use the model.
func markSampling(server string, params []byte) []byte {
	if _, found := jsonrpc.Member(params, "includeContext"); found {
		params = jsonrpc.SetMember(params, "includeContext", []byte(`"none"`))
	}
	written, _ := textMember(params, "systemPrompt")
	prompt := unmarked(server, written)
	marks := prompt != ""
	messages, _ := jsonrpc.Member(params, "messages")
	edited, found := editFirstText(messages, func(text string) string {
		if marks { // it must not carry the mark of another server either
			return unmarked(server, text)
		}
		return mark(server) + unmarked(server, text)
	})
	switch {
	case found:
		params = jsonrpc.SetMember(params, "messages", edited)
	case !marks: // nothing but pictures: somebody has to say who asks
		return setText(params, "systemPrompt", mark(server))
	}
	switch {
	case marks:
		return setText(params, "systemPrompt", mark(server)+prompt)
	case written != "":
		return setText(params, "systemPrompt", "")
	default:
		return params
	}
}

// editFirstText changes the first text of sampling messages. It reports false
// when there is none.
func editFirstText(messages []byte, edit func(string) string) ([]byte, bool) {
	return editElement(messages, func(message []byte) ([]byte, bool) {
		content, found := jsonrpc.Member(message, "content")
		if !found {
			return nil, false
		}
		block := func(block []byte) ([]byte, bool) {
			kind, _ := textMember(block, "type")
			text, ok := textMember(block, "text")
			if !ok || kind != "text" {
				return nil, false
			}
			return setText(block, "text", edit(text)), true
		}
		var edited []byte
		if content[0] == '[' {
			edited, found = editElement(content, block)
		} else {
			edited, found = block(content)
		}
		if !found {
			return nil, false
		}
		return jsonrpc.SetMember(message, "content", edited), true
	})
}

// editElement returns an array with the first element changed that edit accepts.
// Other bytes are unchanged.
func editElement(array []byte, edit func([]byte) ([]byte, bool)) ([]byte, bool) {
	at := 0
	for elem := range jsonrpc.Elements(array) {
		// Between elements there is nothing that one could begin with.
		at += bytes.Index(array[at:], elem)
		edited, ok := edit(elem)
		if !ok {
			at += len(elem)
			continue
		}
		out := make([]byte, 0, len(array)-len(elem)+len(edited))
		out = append(out, array[:at]...)
		out = append(out, edited...)
		return append(out, array[at+len(elem):]...), true
	}
	return nil, false
}

func textMember(object []byte, name string) (string, bool) {
	raw, found := jsonrpc.Member(object, name)
	if !found {
		return "", false
	}
	return jsonrpc.Unquote(raw)
}

func setText(object []byte, name, text string) []byte {
	return jsonrpc.SetMember(object, name, jsonrpc.AppendString(nil, text))
}
