package media

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/internal/jsonrpc"
)

// Parts returns the opaque parts of a message's raw params, result or error, or of
// a catalogue, in the order in which their objects end. The error is ErrTooMuch or
// ErrNotJSON; then nothing is known of the message.
//
// It is safe for concurrent use, and cheap for messages without such parts.
func Parts(data []byte) ([]Part, error) {
	if !mayHave(data) {
		return nil, nil
	}
	f := finder{
		data: data,
		dec: jsontext.NewDecoder(bytes.NewBuffer(data),
			jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)),
	}
	if err := f.element(false); err != nil {
		return nil, err
	}
	return f.parts, nil
}

// The members that tell a part.
const (
	memberType = iota
	memberMIME
	memberData
	memberBlob
	memberText
	memberURI
	memberSrc
	memberURL
	memberCount
)

var memberNames = [memberCount]string{"type", "mimeType", "data", "blob", "text", "uri", "src", "url"}

// quoted are the names without which there is no part.
var quoted = [][]byte{[]byte(`"data"`), []byte(`"blob"`), []byte(`"uri"`), []byte(`"src"`), []byte(`"url"`)}

// mayHave reports whether a message can have a part at all. A name that is spelled
// with escapes can only be known by decoding it.
func mayHave(data []byte) bool {
	for _, name := range quoted {
		if bytes.Contains(data, name) {
			return true
		}
	}
	return bytes.Contains(data, []byte(`\u00`)) || mayHaveURI(data)
}

// mayHaveURI reports whether ;base64, stands somewhere, in any case.
func mayHaveURI(data []byte) bool {
	const mark = ";base64,"
	for {
		i := bytes.IndexByte(data, mark[0])
		if i < 0 || len(data)-i < len(mark) {
			return false
		}
		if bytes.EqualFold(data[i:i+len(mark)], []byte(mark)) {
			return true
		}
		data = data[i+1:]
	}
}

// freeForm are the members below which objects mean what a tool says that they
// mean. There, data is a part only beside a media type.
func freeForm(name string) bool {
	return name == "arguments" || name == "structuredContent" || name == "_meta"
}

// value is where a string of an object lies, with its quotes and its name.
type value struct {
	nameFrom, nameTo int
	from, to         int
}

func (v value) there() bool { return v.to > 0 }

// finder walks once over a message.
type finder struct {
	data     []byte
	dec      *jsontext.Decoder
	parts    []Part
	decoded  int // bytes of all parts
	pointers int // bytes of all pointers
}

func (f *finder) value(free bool) error {
	switch f.dec.PeekKind() {
	case '{':
		return f.object(free)
	case '[':
		if _, err := f.dec.ReadToken(); err != nil {
			return ErrNotJSON
		}
		for f.dec.PeekKind() != ']' {
			if err := f.element(free); err != nil {
				return err
			}
		}
		_, err := f.dec.ReadToken()
		return notJSON(err)
	default:
		return notJSON(f.dec.SkipValue())
	}
}

// element looks at an element of an array, which may be a string that is a data:
// URI.
func (f *finder) element(free bool) error {
	if f.dec.PeekKind() != '"' {
		return f.value(free)
	}
	raw, err := f.dec.ReadValue()
	if err != nil {
		return ErrNotJSON
	}
	v := value{to: int(f.dec.InputOffset())}
	v.from = v.to - len(raw)
	return f.anywhere(v)
}

// anywhere adds a string of any name, or of none, when all of it is a data: URI in
// base64.
func (f *finder) anywhere(v value) error {
	if !mayBeData(f.data[v.from:v.to]) {
		return nil
	}
	label, e, ok := dataURI(f.bytes(v))
	if !ok || e.percent {
		return nil
	}
	return f.add(Part{Declared: label, strip: stripping{how: stripURI, at: v}}, KindUnspecified, string(f.dec.StackPointer()), e)
}

func notJSON(err error) error {
	if err != nil {
		return ErrNotJSON // the decoder's own may quote content
	}
	return nil
}

func (f *finder) object(free bool) error {
	if _, err := f.dec.ReadToken(); err != nil {
		return ErrNotJSON
	}
	from := int(f.dec.InputOffset()) - 1
	var members [memberCount]value
	hasText := false
	for f.dec.PeekKind() != '}' {
		raw, err := f.dec.ReadValue()
		if err != nil {
			return ErrNotJSON
		}
		v := value{nameTo: int(f.dec.InputOffset())}
		v.nameFrom = v.nameTo - len(raw)
		name, which := nameOf(raw)
		hasText = hasText || which == memberText
		if f.dec.PeekKind() != '"' {
			if err := f.value(free || freeForm(name)); err != nil {
				return err
			}
			continue
		}
		if raw, err = f.dec.ReadValue(); err != nil {
			return ErrNotJSON
		}
		v.to = int(f.dec.InputOffset())
		v.from = v.to - len(raw)
		if which >= 0 {
			members[which] = v
		}
		if which < memberURI {
			if err := f.anywhere(v); err != nil {
				return err
			}
		}
	}
	inner := len(f.parts)
	if err := f.examine(&members, free); err != nil {
		return err
	}
	if _, err := f.dec.ReadToken(); err != nil {
		return ErrNotJSON
	}
	for i := range f.parts[inner:] {
		s := &f.parts[inner+i].strip
		s.hasText, s.from, s.to = hasText, from, int(f.dec.InputOffset())
	}
	return nil
}

// nameOf decodes a name as far as it matters: which of the members it is, -1 for
// none.
func nameOf(raw []byte) (name string, which int) {
	const longest = 6 * len(`"structuredContent"`) // all of it escaped
	if len(raw) > longest {
		return "", -1
	}
	name, _ = jsonrpc.Unquote(raw)
	for i, known := range memberNames {
		if name == known {
			return name, i
		}
	}
	return name, -1
}

// examine adds the parts of an object whose members were read. The decoder stands
// before the object's end.
func (f *finder) examine(members *[memberCount]value, free bool) error {
	declared, kind := "", KindUnspecified
	if members[memberMIME].there() {
		declared = mediaType(f.text(members[memberMIME]))
	}
	if members[memberType].there() {
		switch f.text(members[memberType]) {
		case "image":
			kind = Image
		case "audio":
			kind = Audio
		}
	}
	labelled := members[memberMIME].there()
	if v := members[memberData]; v.there() && (labelled || kind != KindUnspecified && !free) {
		p := Part{Declared: declared, strip: stripping{how: stripBlock, at: v, mime: members[memberMIME]}}
		if err := f.add(p, kind, f.member(memberData), encoded{bytes: f.bytes(v)}); err != nil {
			return err
		}
	}
	if v := members[memberBlob]; v.there() && (!free || labelled || members[memberURI].there()) {
		p := Part{Declared: declared, strip: stripping{how: stripBlob, at: v, mime: members[memberMIME]}}
		if err := f.add(p, KindUnspecified, f.member(memberBlob), encoded{bytes: f.bytes(v)}); err != nil {
			return err
		}
	}
	for _, which := range [...]int{memberURI, memberSrc, memberURL} {
		v := members[which]
		if !v.there() || !mayBeData(f.data[v.from:v.to]) {
			continue
		}
		label, e, ok := dataURI(f.bytes(v))
		if !ok {
			continue
		}
		p := Part{Declared: label, strip: stripping{how: stripURI, at: v}}
		if err := f.add(p, KindUnspecified, f.member(which), e); err != nil {
			return err
		}
	}
	return nil
}

// mayBeData reports whether a quoted string can be a data: URI.
func mayBeData(raw []byte) bool {
	i := 1
	for i < len(raw) && raw[i] == ' ' {
		i++
	}
	return i < len(raw) && (raw[i]|0x20 == 'd' || raw[i] == '\\' || raw[i] < ' ')
}

// bytes returns the decoded string at v: a part of the message where nothing was
// escaped.
func (f *finder) bytes(v value) []byte {
	raw := f.data[v.from:v.to]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1 : len(raw)-1]
	}
	text, _ := jsontext.AppendUnquote(make([]byte, 0, len(raw)), raw)
	return text
}

// text returns a short string; a longer one is none that is known.
func (f *finder) text(v value) string {
	const longest = 512
	if v.to-v.from > longest {
		return ""
	}
	return string(f.bytes(v))
}

// member returns the pointer of a member of the object that was read last.
func (f *finder) member(which int) string {
	last := string(f.dec.StackPointer()) // that of the member that was read last
	return last[:strings.LastIndexByte(last, '/')+1] + memberNames[which]
}

// add decodes a part and adds it. block is what the part's object says that it is.
func (f *finder) add(p Part, block Kind, at string, e encoded) error {
	if len(f.parts) == MaxParts {
		return ErrTooMuch
	}
	if f.decoded += len(e.bytes); f.decoded > MaxDecoded/3*4 {
		return ErrTooMuch
	}
	p.String = at
	p.Pointer = at[:max(0, strings.LastIndexByte(at, '/'))]
	if f.pointers += len(p.Pointer) + len(p.String); f.pointers > maxPointers {
		return ErrTooMuch
	}
	p.detect(block, e.decode())
	f.parts = append(f.parts, p)
	return nil
}
