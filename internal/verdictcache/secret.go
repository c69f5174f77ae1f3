package verdictcache

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/mcp-relay/relay/internal/statefile"
)

// The key of the files is kept in the system's keychain, where a program that
// can write the user's files does not reach it, or else in a file beside them.
const (
	secretFile = "key"
	service    = "mcp-relay"
	user       = "verdict-cache"
	// patience bounds the wait for the keychain.
	patience = 2 * time.Second
)

var errSecret = errors.New("the key of kept verdicts is not one: remove the directory verdicts in the relay's state directory")

// findSecret returns the key, and makes it when there is none.
func findSecret(path string, keychain bool) ([]byte, error) {
	if keychain {
		if secret := fromKeychain(); secret != nil {
			return secret, nil
		}
	}
	dir, err := statefile.Create(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what was attempted
	}
	defer dir.Close()
	secret, err := dir.EnsureKey(secretFile)
	if errors.Is(err, statefile.ErrKey) {
		return nil, errSecret
	}
	return secret, err //nolint:wrapcheck // as above
}

// fromKeychain returns the key in the keychain, or nil when that does not answer
// at once: nobody is to be asked for a password because of a cache.
func fromKeychain() []byte {
	found := make(chan []byte, 1)
	go func() { // the libraries of keychains know no context
		if locked() {
			found <- nil
			return
		}
		found <- askKeychain()
	}()
	select {
	case secret := <-found:
		return secret
	case <-time.After(patience):
		return nil
	}
}

func askKeychain() []byte {
	text, err := keyring.Get(service, user)
	if errors.Is(err, keyring.ErrNotFound) {
		text = hex.EncodeToString(fresh())
		if keyring.Set(service, user, text) != nil {
			return nil
		}
		// Another process may have been later: the last one counts.
		text, err = keyring.Get(service, user)
	}
	if err != nil {
		return nil
	}
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != statefile.KeySize {
		return nil
	}
	return secret
}

func fresh() []byte {
	secret := make([]byte, statefile.KeySize)
	_, _ = rand.Read(secret) // it never fails
	return secret
}
