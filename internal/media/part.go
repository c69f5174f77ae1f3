package media

import (
	"errors"
	"strings"
)

// Kind is what the bytes of a part are.
type Kind uint8

// The kinds. The zero value is no kind.
const (
	KindUnspecified Kind = iota
	// Text is text, which Part.Text has.
	Text
	// Image is a picture made of pixels, with a label that agrees.
	Image
	// Audio is recorded sound, with a label that agrees.
	Audio
	// Other is anything else: another format, a label that disagrees, bytes that
	// cannot be decoded. Part.Reason says which.
	Other
)

var kindNames = [...]string{"unspecified", "text", "image", "audio", "other"}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[KindUnspecified]
}

// Why a part is Other, or was not looked into at all.
const (
	ReasonFormat   = "format"     // a format in which nothing can be read
	ReasonMismatch = "media type" // the bytes are not what the label says
	ReasonEncoding = "encoding"   // not valid base64
	ReasonSize     = "size"       // a text that is longer than MaxText
)

// Limits of what is found in one message.
const (
	// MaxParts is how many parts there may be.
	MaxParts = 1024
	// MaxText is how long a text may be, in bytes: what one scan may be given.
	MaxText = 8 << 20
	// MaxDecoded is how many bytes all parts may have together.
	MaxDecoded = 32 << 20

	maxPointers = 1 << 20 // bytes of all pointers together
)

// ErrTooMuch says that a message has more parts, or longer ones, than are looked
// at. No part of it counts as inspected then.
var ErrTooMuch = errors.New("the message has too many opaque parts, or too long ones")

// ErrNotJSON says that there is no JSON to find parts in.
var ErrNotJSON = errors.New("the message is not valid JSON")

// Part is one opaque part of a message.
type Part struct {
	// Pointer is the JSON Pointer of the object that the part belongs to: a
	// content block, the contents of a resource, an icon.
	Pointer string
	// String is the JSON Pointer of the string that holds the bytes.
	String string
	// Declared is the media type that the part claims to have, in lower case and
	// without parameters. It is a foreign string. Empty: it claims none.
	Declared string
	// Detected is what the bytes are.
	Detected Kind
	// Format is the media type that the bytes begin as. It is never foreign.
	// Empty: none that this package knows.
	Format string
	// Text is the text in UTF-8, when Detected is Text. It may share memory with
	// the message and must not be changed.
	Text []byte
	// Size is how many bytes the part has when it is decoded; 0 when it cannot be.
	Size int
	// Reason is one of the reasons above when Detected is Other.
	Reason string

	strip stripping
}

// mediaType returns a media type in lower case, without parameters and space.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// detect says what the part is.
func (p *Part) detect(block Kind, c contents) {
	p.Size = c.size
	var kind Kind
	p.Format, kind = formatOf(c.head)
	switch {
	case !c.ok:
		p.Detected, p.Reason = Other, ReasonEncoding
	case c.kind == Text && len(c.text) > MaxText:
		p.Detected, p.Reason = Other, ReasonSize
	case c.kind == Text:
		p.Detected, p.Text = Text, c.text
	case kind == Other:
		p.Detected, p.Reason = Other, ReasonFormat
	case !agrees(p.Declared, kind) || block != KindUnspecified && block != kind:
		p.Detected, p.Reason = Other, ReasonMismatch
	default:
		p.Detected = kind
	}
}

// agrees reports whether a label is for bytes of a kind. No label is no lie.
func agrees(declared string, k Kind) bool {
	top, sub, _ := strings.Cut(declared, "/")
	switch {
	case declared == "":
		return true
	case k == Image:
		return top == "image" && !strings.Contains(sub, "xml") && !strings.Contains(sub, "svg")
	default:
		return top == "audio"
	}
}
