package panscanner

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

// catalogue is a list of tools, as projected.
type catalogue struct {
	tools []jsontext.Value
	rest  jsontext.Value // the other members as an object; nil: there are none
}

// toolset says which tools of the catalogue a piece holds.
type toolset struct {
	names []string // of the piece's tools, in order
	first int      // index of the first in the catalogue
	part  bool     // it is a chunk of the tool first, not a list
}

// parseCatalogue reports false when doc is not {"tools":[...]}.
func parseCatalogue(doc []byte) (catalogue, bool) {
	var members map[string]jsontext.Value
	var list catalogue
	if json.Unmarshal(doc, &members, jsontext.AllowInvalidUTF8(true)) != nil {
		return list, false
	}
	if json.Unmarshal(members["tools"], &list.tools, jsontext.AllowInvalidUTF8(true)) != nil || len(list.tools) == 0 {
		return list, false
	}
	if delete(members, "tools"); len(members) > 0 {
		rest, err := json.Marshal(members, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return list, false
		}
		list.rest = rest
	}
	return list, true
}

// splitCatalogue asks about all tools in one request, or in several when they
// do not fit, and about anything beside the tools in one of its own: the
// service reports on tools only.
func (c *config) splitCatalogue(content scanner.Content, p *projection, list catalogue) (batch, *scanner.Error) {
	out := batch{uninspected: p.uninspected}
	event := eventFor(content.Origin)
	event.Metadata.Method, event.Metadata.Tool = methodList, ""
	budget, failure := c.budget(content.Origin, event)
	if failure != nil {
		return batch{}, failure
	}
	for at := 0; at < len(list.tools); {
		doc, n := group(list.tools[at:], budget)
		set := &toolset{first: at}
		for _, tool := range list.tools[at : at+max(n, 1)] {
			set.names = append(set.names, toolName(tool))
		}
		if n > 0 {
			part := piece{event: event, src: p, tools: set}
			part.set(content.Phase, doc)
			out.pieces = append(out.pieces, part)
			at += n
			continue
		}
		// One tool alone is too large: ask about it in chunks.
		set.part = true
		if failure := c.appendValue(&out, content, list.tools[at], set); failure != nil {
			return batch{}, failure
		}
		at++
	}
	if list.rest != nil {
		if failure := c.appendValue(&out, content, list.rest, nil); failure != nil {
			return batch{}, failure
		}
	}
	if len(out.pieces) > c.maxChunks {
		return batch{}, c.tooMany(len(out.pieces))
	}
	return out, nil
}

// appendValue adds the pieces of a value inside the catalogue. Their findings
// are located at the tool, or else at the catalogue as a whole.
func (c *config) appendValue(out *batch, content scanner.Content, value []byte, set *toolset) *scanner.Error {
	p, err := project(value)
	if err != nil {
		return unsupported("the catalogue is not one JSON text")
	}
	if set != nil {
		content.Origin.Target = set.names[0]
	}
	b, failure := c.splitValue(content, p, "")
	for i := range b.pieces {
		if b.pieces[i].tools = set; set == nil {
			b.pieces[i].tools = &toolset{part: true, first: -1}
		}
	}
	out.pieces = append(out.pieces, b.pieces...)
	return failure
}

// group returns a list of as many tools as fit, and their number.
func group(tools []jsontext.Value, budget int) (doc []byte, n int) {
	doc = []byte(`{"tools":[`)
	cost, urls := quotedLen(doc)+len("]}"), 0
	for _, tool := range tools {
		more, links := quotedLen(tool)+1, bytes.Count(tool, []byte(urlMark))
		if cost+more > budget || urls+links > maxURLs {
			break
		}
		if n > 0 {
			doc = append(doc, ',')
		}
		doc = append(doc, tool...)
		cost, urls, n = cost+more, urls+links, n+1
	}
	return append(doc, "]}"...), n
}

// toolName returns the tool's name, or nothing if it has none.
func toolName(tool jsontext.Value) string {
	var t struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(tool, &t, jsontext.AllowInvalidUTF8(true)) != nil {
		return ""
	}
	return t.Name
}

// locate returns the places in the catalogue that an answer's entries name. It
// reports false when the answer raises something that no known tool accounts
// for; then the catalogue as a whole is meant.
func (s *toolset) locate(a answer) (found map[int][]string, all bool) {
	found, all = map[int][]string{}, true
	accounted := map[string]bool{}
	for _, e := range a.output {
		if len(e.raised) == 0 {
			continue
		}
		known := false
		for i, name := range s.names {
			if name == e.tool && name != "" {
				known = true
				found[s.first+i] = append(found[s.first+i], e.raised...)
			}
		}
		all = all && known
		for _, name := range e.raised {
			accounted[name] = true
		}
	}
	for _, name := range a.raisedOutsideOutput() {
		all = all && accounted[name]
	}
	return found, all && len(found) > 0
}

func toolPointer(i int) string { return "/tools/" + strconv.Itoa(i) }
