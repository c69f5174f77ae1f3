package statefile

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
)

func TestKey(t *testing.T) {
	d, _ := create(t)
	if _, err := d.Key("k"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	// Whoever makes it at the same time gets the same.
	keys := make([][]byte, 8)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = d.EnsureKey("k"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != KeySize || !bytes.Equal(key, keys[0]) {
			t.Errorf("%x beside %x", key, keys[0])
		}
	}
	for _, text := range []string{"", "0a", strings.Repeat("0a", 31), strings.Repeat("0a", 33), strings.Repeat("zz", 32)} {
		if err := d.Write("k", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := d.EnsureKey("k"); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
