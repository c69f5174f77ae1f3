package verdictcache

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/mcp-relay/relay/internal/statefile"
)

// The key of the files is kept in the system's keychain, where a program that
// can write the user's files does not reach it, or else in a file beside them.
const (
	secretFile  = "key"
	secretLock  = "key.lock"
	secretBytes = 32
	service     = "mcp-relay"
	user        = "verdict-cache"
	// patience bounds the wait for the keychain, and for another process that
	// makes the key.
	patience = 2 * time.Second
)

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
	return fromFile(dir)
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
	if err != nil || len(secret) != secretBytes {
		return nil
	}
	return secret
}

func fresh() []byte {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // it never fails
	return secret
}

func fromFile(dir *statefile.Dir) ([]byte, error) {
	secret, err := readSecret(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	unlock, err := dir.Lock(ctx, secretLock)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what was attempted
	}
	defer unlock()
	if secret, err = readSecret(dir); !errors.Is(err, fs.ErrNotExist) {
		return secret, err // another process was faster
	}
	secret = fresh()
	if err := dir.Write(secretFile, hex.AppendEncode(nil, secret)); err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	return secret, nil
}

func readSecret(dir *statefile.Dir) ([]byte, error) {
	text, _, err := dir.Read(secretFile, 4*secretBytes)
	if err != nil {
		return nil, fmt.Errorf("reading the key of kept verdicts: %w", err)
	}
	secret, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(secret) != secretBytes {
		return nil, errors.New("the key of kept verdicts is not one: remove the directory verdicts in the relay's state directory")
	}
	return secret, nil
}
