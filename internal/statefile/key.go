package statefile

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// KeySize is the length of a key, in bytes.
const KeySize = 32

// ErrKey says that what is in the place of a key is none.
var ErrKey = errors.New("it does not hold a key")

// keyWait bounds the wait for another process that makes the key.
const keyWait = 5 * time.Second

// Key reads the random key in a file. The error wraps fs.ErrNotExist when there
// is none, or ErrKey.
func (d *Dir) Key(name string) ([]byte, error) {
	text, _, err := d.Read(name, 4*KeySize)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 4*KeySize) // room for what is too long
	if n, err := hex.Decode(key, bytes.TrimSpace(text)); err != nil || n != KeySize {
		return nil, ErrKey
	}
	return key[:KeySize], nil
}

// EnsureKey reads the random key in a file, and makes it when there is none. Of
// several processes that do so at once one makes it, and all get that one.
func (d *Dir) EnsureKey(name string) ([]byte, error) {
	key, err := d.Key(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), keyWait)
	defer cancel()
	unlock, err := d.Lock(ctx, KeyLock(name))
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	defer unlock()
	if key, err = d.Key(name); !errors.Is(err, fs.ErrNotExist) {
		return key, err // another process was faster
	}
	key = make([]byte, KeySize)
	_, _ = rand.Read(key) // it never fails
	return key, d.Write(name, append(hex.AppendEncode(nil, key), '\n'))
}

// KeyLock returns the name of the file that is locked while a key is made.
func KeyLock(name string) string { return name + ".lock" }
