package principal

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mcp-relay")
	s := open(t, dir)
	if _, err := s.Generated(); !errors.Is(err, ErrNotGenerated) {
		t.Errorf("before: %v", err)
	}
	path, err := s.Ensure()
	if err != nil || path != filepath.Join(dir, "token") {
		t.Fatalf("path %q, %v", path, err)
	}
	token, err := s.Generated()
	if err != nil || !knows(s, token, "default") {
		t.Errorf("the first token: %v", err)
	}
	if second, err := open(t, dir).Ensure(); second != "" || err != nil {
		t.Errorf("a second start makes %q, %v", second, err)
	}
	if again, err := s.Generated(); again != token || err != nil {
		t.Errorf("a second start changed the token: %v", err)
	}
	if err := s.Remove("default"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Generated(); !errors.Is(err, ErrNotGenerated) || knows(s, token, "default") {
		t.Errorf("after it was removed: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the plain token is still there: %v", err)
	}
}

// Who has a token needs no other.
func TestFirstStartWithTokens(t *testing.T) {
	dir := t.TempDir()
	if path, err := open(t, dir, "given", "0123456789abcdef").Ensure(); path != "" || err != nil {
		t.Errorf("beside a given one: %q, %v", path, err)
	}
	s := open(t, dir)
	add1(t, s, "alice")
	if path, err := s.Ensure(); path != "" || err != nil {
		t.Errorf("beside a stored one: %q, %v", path, err)
	}
	if _, err := s.Generated(); !errors.Is(err, ErrNotGenerated) {
		t.Errorf("generated: %v", err)
	}
}

// Two relays that start at once share one token.
func TestFirstStartOfTwo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mcp-relay")
	var both sync.WaitGroup
	paths := make([]string, 8)
	for i := range paths {
		both.Go(func() {
			s, err := Open(Options{Dir: dir})
			if err == nil {
				paths[i], err = s.Ensure()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	made := 0
	for _, p := range paths {
		if p != "" {
			made++
		}
	}
	s := open(t, dir)
	token, err := s.Generated()
	if made != 1 || err != nil || !knows(s, token, "default") {
		t.Errorf("%d made one; %v", made, err)
	}
}

// A start that was cut short leaves a token that nothing knows; the next one
// makes another. A token of that name that a person added is not this one.
func TestStaleFirstToken(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, plainFile, "mcprelay_stale\n")
	s := open(t, dir)
	if _, err := s.Generated(); !errors.Is(err, ErrNotGenerated) {
		t.Errorf("a stale one: %v", err)
	}
	add1(t, s, "default")
	if _, err := s.Generated(); !errors.Is(err, ErrNotGenerated) {
		t.Errorf("one of another: %v", err)
	}
	if err := s.Remove("default"); err != nil {
		t.Fatal(err)
	}
	write(t, dir, plainFile, "mcprelay_stale\n")
	if path, err := s.Ensure(); path == "" || err != nil {
		t.Errorf("ensure: %q, %v", path, err)
	}
	if token, err := s.Generated(); err != nil || !knows(s, token, "default") || token == "mcprelay_stale" {
		t.Errorf("generated: %v", err)
	}
}
