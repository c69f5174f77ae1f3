package bridge

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// ErrUnknown is the answer to every value that the relay did not give out, gave
// to somebody else or for something else, or gave out too long ago. Nobody
// learns which.
var ErrUnknown = errors.New("the value is not known, or not any more")

// Kind says what a sealed value is. A value of one kind is unknown as another.
type Kind uint8

// The kinds. The zero value is not a kind.
const (
	State  Kind = iota + 1 // requestState of a modern server, and where it belongs
	Cursor                 // a place in a list
	Park                   // a call that waits in a Lot
)

// Binding is what a sealed value is bound to; a value presented with another is
// as unknown as one that never existed. A field may be empty.
type Binding struct {
	Kind                                       Kind
	Principal, Session, Server, Method, Target string
}

// append writes b so that no two bindings are written alike.
func (b *Binding) append(dst []byte) []byte {
	dst = append(dst, byte(b.Kind))
	for _, field := range [...]string{b.Principal, b.Session, b.Server, b.Method, b.Target} {
		dst = binary.AppendUvarint(dst, uint64(len(field)))
		dst = append(dst, field...)
	}
	return dst
}

// A sealed value is nonce, ciphertext and tag, as URL-safe base64 without
// padding. Its plain text is the time of its end and the payload.
const (
	timeSize = 8
	keySize  = 32
)

// Sealer seals values that clients carry: encrypted, so that they cannot read
// them, and bound, so that they cannot use them elsewhere. Its key is random and
// lives as long as the process. A value can be opened as often as one likes
// until its end: what must happen once is taken from a [Lot]. It is safe for
// concurrent use.
type Sealer struct {
	aead cipher.AEAD
	born time.Time // ends are counted from here: the wall clock may be set
}

// NewSealer makes a Sealer with a key of its own.
func NewSealer() *Sealer {
	var key [keySize]byte
	rand.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // the key has the right size
	}
	// A random nonce of 96 bits per value allows 2^32 of them under one key: a
	// thousand a second for seven weeks.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return &Sealer{aead: aead, born: time.Now()}
}

// Seal returns a value that can be opened with the same binding until ttl is
// over, in this process. It consists of letters, digits, "-" and "_".
func (s *Sealer) Seal(b Binding, payload []byte, ttl time.Duration) string {
	plain := make([]byte, timeSize, timeSize+len(payload))
	binary.BigEndian.PutUint64(plain, uint64(max(0, time.Since(s.born)+ttl)))
	plain = append(plain, payload...)
	sealed := s.aead.Seal(nil, nil, plain, b.append(nil)) //nolint:gosec // this AEAD makes its own random nonce
	return base64.RawURLEncoding.EncodeToString(sealed)
}

// Open returns what was sealed. The error is ErrUnknown and nothing else.
func (s *Sealer) Open(b Binding, sealed string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || strings.ContainsAny(sealed, "\r\n") { // which the decoder skips
		return nil, ErrUnknown
	}
	plain, err := s.aead.Open(nil, nil, raw, b.append(nil))
	if err != nil || len(plain) < timeSize {
		return nil, ErrUnknown
	}
	if uint64(max(0, time.Since(s.born))) >= binary.BigEndian.Uint64(plain) {
		return nil, ErrUnknown
	}
	return plain[timeSize:], nil
}
