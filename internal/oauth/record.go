package oauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// record is a token with what it is bound to. It goes to the server at URL and
// nowhere else; what renews it goes to Endpoint and nowhere else.
type record struct {
	Server string `json:"server"`
	URL    string `json:"url"`

	Issuer     string `json:"issuer"`
	Resource   string `json:"resource"`
	Endpoint   string `json:"token_endpoint"`
	Revocation string `json:"revocation_endpoint,omitzero"`
	Grant      Grant  `json:"grant"`

	ClientID     string `json:"client_id"`
	ClientSecret secret `json:"client_secret,omitzero"`
	AuthMethod   string `json:"auth_method"`

	Access    secret    `json:"access_token,omitzero"`
	Refresh   secret    `json:"refresh_token,omitzero"`
	Obtained  time.Time `json:"obtained_at"`
	Expires   time.Time `json:"expires_at,omitzero"` // zero: not said
	Requested []string  `json:"scopes_requested,omitzero"`
	Granted   []string  `json:"scopes_granted,omitzero"`
}

// A token is renewed this long before it expires, or in the last fifth of a
// life that is shorter.
const ahead = time.Minute

func (r *record) header() string { return "Bearer " + string(r.Access) }

func (r *record) expired(now time.Time) bool {
	return !r.Expires.IsZero() && !now.Before(r.Expires)
}

// due reports whether the token should be renewed.
func (r *record) due(now time.Time) bool {
	if r.Expires.IsZero() {
		return false
	}
	return !now.Before(r.Expires.Add(-min(ahead, r.Expires.Sub(r.Obtained)/5)))
}

// renewable reports whether a new token can be had without a person.
func (r *record) renewable() bool {
	return r.Refresh != "" || r.Grant == ClientCredentials
}

// take puts what a token endpoint gave into the record. A refresh token that
// was not replaced stays valid (RFC 6749, section 6).
func (r *record) take(g *grant, now time.Time) {
	r.Access, r.Obtained, r.Expires = g.Access, now, time.Time{}
	if g.Lifetime > 0 {
		r.Expires = now.Add(g.Lifetime)
	}
	if g.Refresh != "" {
		r.Refresh = g.Refresh
	}
	if g.Scopes != nil {
		r.Granted = g.Scopes
	}
}

func (r *record) identity() identity {
	return identity{r.ClientID, r.ClientSecret, r.AuthMethod}
}

// stored is the content of a token file: a record, or one that is sealed with
// the key in the keychain.
type stored struct {
	Version int     `json:"version"`
	Record  *record `json:"record,omitzero"`
	Sealed  []byte  `json:"sealed,omitzero"`
}

const storedVersion = 1

// errUnreadable is met where a token file is not what the relay wrote for this
// server. The token is as good as none.
var errUnreadable = errors.New("the stored login cannot be read or is for another server")

// keySize is that of AES-256.
const keySize = 32

// seal encrypts a record and binds it to the name it is stored under.
func seal(key []byte, name string, r *record) ([]byte, error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing the login: %w", err)
	}
	box, err := box(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize(), box.NonceSize()+len(plain)+box.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return box.Seal(nonce, nonce, plain, []byte(name)), nil
}

// unseal reverses seal.
func unseal(key []byte, name string, sealed []byte) (*record, error) {
	box, err := box(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < box.NonceSize() {
		return nil, errUnreadable
	}
	plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(name))
	if err != nil {
		return nil, errUnreadable
	}
	var r record
	if json.Unmarshal(plain, &r) != nil {
		return nil, errUnreadable
	}
	return &r, nil
}

func box(key []byte) (cipher.AEAD, error) {
	if len(key) != keySize {
		return nil, errUnreadable
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sealing the login: %w", err)
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("sealing the login: %w", err)
	}
	return box, nil
}
