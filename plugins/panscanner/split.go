package panscanner

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

// piece is what one request judges, and how its answer maps to the content.
type piece struct {
	event  toolEvent
	sent   []byte      // the JSON text in question, as sent
	src    *projection // what it comes from
	prefix string      // JSON Pointer of src in the content
	chunk  *chunk      // set when sent is a chunk of src
	joined int         // overlap of the joined texts that are the last member of sent; 0: there are none
	tools  *toolset    // set when sent is a catalogue of tools
	answer []byte      // of a batch that was asked before; nil: not asked
}

// batch is everything that is asked about one content.
type batch struct {
	pieces      []piece
	uninspected []scanner.Uninspected
}

// joinedMember holds the joined texts in what is sent.
const joinedMember = "relay/joined_texts"

// split decides what to ask about a content.
func (c *config) split(content scanner.Content) (batch, *scanner.Error) {
	switch content.Kind {
	case scanner.KindText:
		return c.splitValue(content, projectText(content.Data), "")
	case scanner.KindBlob:
		return c.splitValue(content, projectBlob(content.Data), "")
	case scanner.KindJSON:
	default:
		return batch{}, unsupported("this kind of content cannot be sent")
	}
	data, prefix := content.Data, ""
	if content.Phase == scanner.PhaseRequest && content.Origin.Method == methodCall {
		data, prefix = arguments(data)
	}
	p, err := project(data)
	if err != nil {
		return batch{}, unsupported("the content is not one JSON text")
	}
	if content.Phase == scanner.PhaseDefinition {
		if list, ok := parseCatalogue(p.doc); ok {
			return c.splitCatalogue(content, p, list)
		}
	}
	return c.splitValue(content, p, prefix)
}

func unsupported(message string) *scanner.Error {
	return &scanner.Error{Reason: scanner.ReasonUnsupported, ContentCaused: true, Message: message}
}

// arguments returns the arguments of a tool call when there is nothing else to
// judge in its params, since that is what the service expects as input.
func arguments(params []byte) (data []byte, prefix string) {
	var members map[string]jsontext.Value
	if json.Unmarshal(params, &members, jsontext.AllowInvalidUTF8(true)) != nil {
		return params, ""
	}
	name, args := members["name"], members["arguments"]
	if len(members) != 2 || name.Kind() != '"' || args.Kind() != '{' || len(bytes.TrimSpace(args[1:len(args)-1])) == 0 {
		return params, ""
	}
	return args, "/arguments"
}

// splitValue asks about one value: as a whole if it is an object and small
// enough, else in chunks.
func (c *config) splitValue(content scanner.Content, p *projection, prefix string) (batch, *scanner.Error) {
	out := batch{uninspected: p.uninspected}
	for i := range out.uninspected {
		out.uninspected[i].Pointer = clampPointer(prefix + out.uninspected[i].Pointer)
	}
	if p.empty {
		return out, nil
	}
	event := eventFor(content.Origin)
	budget, err := c.budget(content.Origin, event)
	if err != nil {
		return batch{}, err
	}
	base := piece{event: event, src: p, prefix: prefix}
	joined := joinTexts(p.texts, c.overlap)
	if doc, ok := whole(p, joined); ok && c.fits(doc, budget) {
		if joined != "" {
			base.joined = c.overlap
		}
		base.set(content.Phase, doc)
		c.addContext(content, &base, budget-quotedLen(doc))
		out.pieces = []piece{base}
		return out, nil
	}
	cut := (&cutter{budget: budget, overlap: c.overlap, urls: maxURLs}).cut(p, joined)
	if len(cut) > c.maxChunks {
		return batch{}, c.tooMany(len(cut))
	}
	for i := range cut {
		part := base
		part.chunk = &cut[i]
		part.set(content.Phase, cut[i].doc)
		out.pieces = append(out.pieces, part)
	}
	return out, nil
}

func (c *config) tooMany(n int) *scanner.Error {
	return &scanner.Error{
		Reason: scanner.ReasonTooLarge, ContentCaused: true,
		Message: fmt.Sprintf("the content needs %d requests, and max_chunks is %d", n, c.maxChunks),
	}
}

// set makes doc what the piece judges, on the side that the phase says.
func (p *piece) set(phase scanner.Phase, doc []byte) {
	p.sent = doc
	if phase == scanner.PhaseRequest {
		p.event.Input = string(doc)
	} else {
		p.event.Output = string(doc)
	}
}

// whole returns the object to send, with the joined texts as its last member.
func whole(p *projection, joined string) ([]byte, bool) {
	if !p.object {
		return nil, false
	}
	if joined == "" {
		return p.doc, true
	}
	name := quote(joinedMember)
	if bytes.Contains(p.doc, name) {
		return nil, false // a second member of that name could hide the first
	}
	doc := append(bytes.Clone(p.doc[:len(p.doc)-1]), ',')
	doc = append(append(doc, name...), ':')
	return append(append(doc, quote(joined)...), '}'), true
}

// budget returns how many bytes of a request are left for a quoted text.
func (c *config) budget(o scanner.Origin, event toolEvent) (int, *scanner.Error) {
	event.Input, event.Output = "x", "x"
	empty, err := c.body(o, event)
	if err != nil {
		return 0, incomprehensible("the request cannot be encoded")
	}
	return c.maxRequest - len(empty) - 1, nil
}

func (c *config) fits(doc []byte, budget int) bool {
	return quotedLen(doc) <= budget && bytes.Count(doc, []byte(urlMark)) <= maxURLs
}

// addContext adds the request that a response answers, if that is configured
// and there is room. Requests are judged on their own before.
func (c *config) addContext(content scanner.Content, p *piece, room int) {
	if !c.contextRequest || content.Phase != scanner.PhaseResponse || content.RequestTruncated || len(content.Request) == 0 {
		return
	}
	data, _ := arguments(content.Request)
	request, err := project(data)
	if err != nil || request.empty || quotedLen(request.doc) > room ||
		bytes.Count(request.doc, []byte(urlMark))+bytes.Count(p.sent, []byte(urlMark)) > maxURLs {
		return
	}
	p.event.Input = string(request.doc)
}
