package jsonrpc

import "fmt"

// Reason says why bytes were refused.
type Reason uint8

// The reasons. The zero value is none of them.
const (
	// Malformed: not one JSON value as RFC 8259 defines it.
	Malformed Reason = iota + 1
	// DuplicateName: an object has two members of one name, after decoding.
	DuplicateName
	// InvalidUTF8: a string holds bytes that are not UTF-8.
	InvalidUTF8
	// CaseVariant: a member name equals one that the protocol names under
	// Unicode simple folding, but not byte for byte.
	CaseVariant
	// TooDeep: more than MaxDepth objects and arrays inside each other.
	TooDeep
	// Batch: the message is an array.
	Batch
	// BadEnvelope: valid JSON, but not a JSON-RPC 2.0 message.
	BadEnvelope
)

var reasonTexts = [...]string{
	Malformed:     "malformed JSON",
	DuplicateName: "duplicate member name",
	InvalidUTF8:   "invalid UTF-8",
	CaseVariant:   "member name differs from a protocol name only in case",
	TooDeep:       "nested too deeply",
	Batch:         "batches are not accepted: send one message at a time",
	BadEnvelope:   "not a JSON-RPC 2.0 message",
}

// String returns the reason in words. It is safe to show to anybody.
func (r Reason) String() string {
	if r >= Malformed && int(r) < len(reasonTexts) {
		return reasonTexts[r]
	}
	return "refused"
}

// ParseError is the only error of [Parse] and [Validate]. It holds no byte of
// what was refused.
type ParseError struct {
	Reason Reason
	Offset int // where in the input, in bytes
}

// Error returns the reason and the offset.
func (e *ParseError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
}
