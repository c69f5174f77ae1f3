package audit

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

// KeyFile is the name, in the relay's state directory, of the key that records
// are chained with.
const KeyFile = "audit.key"

const (
	keyBytes = 32
	// keyWait bounds the wait for another process that makes the key.
	keyWait = 5 * time.Second
)

var errKey = errors.New("the key of the audit record is not one: restore it, or remove it and begin a record in another file")

// readKey reads the installation's key.
func readKey(dir *statefile.Dir) ([]byte, error) {
	text, _, err := dir.Read(KeyFile, 4*keyBytes)
	if err != nil {
		return nil, fmt.Errorf("reading the key of the audit record: %w", err)
	}
	key := make([]byte, 2*keyBytes) // room for what is too long
	if n, err := hex.Decode(key, bytes.TrimSuffix(text, []byte{'\n'})); err != nil || n != keyBytes {
		return nil, errKey
	}
	return key[:keyBytes], nil
}

// ensureKey reads the installation's key, and makes it when there is none.
func ensureKey(dir *statefile.Dir) ([]byte, error) {
	key, err := readKey(dir)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), keyWait)
	defer cancel()
	unlock, err := dir.Lock(ctx, KeyFile+".lock")
	if err != nil {
		return nil, fmt.Errorf("making the key of the audit record: %w", err)
	}
	defer unlock()
	// Another process may have been faster.
	if key, err = readKey(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, keyBytes)
	_, _ = rand.Read(key) // it never fails
	if err := dir.Write(KeyFile, append(hex.AppendEncode(nil, key), '\n')); err != nil {
		return nil, fmt.Errorf("making the key of the audit record: %w", err)
	}
	return key, nil
}
