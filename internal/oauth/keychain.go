package oauth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"
)

// keychain keeps small secrets. It is the system's, or one of a test.
type keychain interface {
	Get(service, user string) (string, error) // keyring.ErrNotFound: nothing there
	Set(service, user, password string) error
}

// system is the keychain of the operating system.
type system struct{}

var _ keychain = system{}

// Get returns what is kept.
func (system) Get(service, user string) (string, error) {
	if !keychainLikely() {
		return "", errNoKeychain
	}
	return keyring.Get(service, user)
}

// Set keeps something.
func (system) Set(service, user, password string) error {
	if !keychainLikely() {
		return errNoKeychain
	}
	return keyring.Set(service, user, password)
}

// One key of the keychain seals all token files: tokens can be longer than what
// keychains take, and files can be replaced in one step while several relays
// run, which entries of a keychain cannot.
const (
	keychainService = "mcp-relay"
	keychainUser    = "oauth-tokens"
	keychainTimeout = 20 * time.Second // a locked one asks the user
)

// HasKeychain reports whether there seems to be a keychain. It is not asked
// anything: that may have a person type a password.
func HasKeychain() bool { return keychainLikely() }

var errNoKeychain = errors.New("there is no keychain that answers")

// sealingKey returns the key of the token files. With create, a new one is put
// into a keychain that has none.
func sealingKey(ctx context.Context, k keychain, create bool) ([]byte, error) {
	type result struct {
		key []byte
		err error
	}
	done := make(chan result, 1)
	go func() { // the libraries of keychains know no context
		key, err := findKey(k, create)
		done <- result{key, err}
	}()
	ctx, cancel := context.WithTimeout(ctx, keychainTimeout)
	defer cancel()
	select {
	case r := <-done:
		return r.key, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", errNoKeychain, context.Cause(ctx))
	}
}

func findKey(k keychain, create bool) ([]byte, error) {
	text, err := k.Get(keychainService, keychainUser)
	if err == nil {
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) != keySize {
			return nil, errUnreadable
		}
		return key, nil
	}
	if !errors.Is(err, keyring.ErrNotFound) {
		return nil, errNoKeychain // its text may hold anything
	}
	if !create {
		return nil, errUnreadable
	}
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	if err := k.Set(keychainService, keychainUser, base64.StdEncoding.EncodeToString(key)); err != nil {
		return nil, errNoKeychain
	}
	return key, nil
}
