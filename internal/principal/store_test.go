package principal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func open(t *testing.T, dir string, given ...string) *Store {
	t.Helper()
	tokens := map[string]string{}
	for i := 0; i+1 < len(given); i += 2 {
		tokens[given[i]] = given[i+1]
	}
	s, err := Open(Options{Dir: dir, Given: tokens})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add1(t *testing.T, s *Store, name string) string {
	t.Helper()
	token, err := s.Add(name)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func knows(s *Store, token, want string) bool {
	name, ok := s.Verify(token)
	return ok && name == want
}

func TestNamesBelongToTokens(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "mcp-relay"), "given", "0123456789abcdef")
	alice, bob := add1(t, s, "alice"), add1(t, s, "bob")
	if alice == bob || len(alice) < 43 {
		t.Errorf("tokens %q and %q", alice, bob)
	}
	if !knows(s, alice, "alice") || !knows(s, bob, "bob") || !knows(s, "0123456789abcdef", "given") {
		t.Error("a token is unknown")
	}
	for _, token := range []string{
		"", "x", alice[:len(alice)-1], alice + "x", strings.ToUpper(alice), " " + alice, strings.Repeat("x", maxToken+1), "alice", "default",
	} {
		if name, ok := s.Verify(token); ok || name != "" {
			t.Errorf("%q is the token of %q", token, name)
		}
	}
	if got := s.Principals(); !slices.Equal(got, []string{"alice", "bob", "given"}) {
		t.Errorf("principals %q", got)
	}
	list := s.List()
	if len(list) != 3 || !list[0].Given || list[1].Name != "alice" || list[1].Created.IsZero() || time.Since(list[1].Created) > time.Minute {
		t.Errorf("list %+v", list)
	}
	if _, err := s.Add("alice"); !errors.Is(err, ErrExists) {
		t.Errorf("a second token of one name: %v", err)
	}
	if err := s.Remove("carol"); !errors.Is(err, ErrUnknown) {
		t.Errorf("removing what is not there: %v", err)
	}
	if err := s.Remove("given"); !errors.Is(err, ErrUnknown) {
		t.Errorf("removing what the configuration gives: %v", err)
	}
}

// Two tokens of one name are one principal: that is how tokens are exchanged.
func TestOneNameIsOnePrincipal(t *testing.T) {
	s := open(t, t.TempDir(), "ci", "0123456789abcdef")
	if stored := add1(t, s, "ci"); !knows(s, stored, "ci") || !knows(s, "0123456789abcdef", "ci") || len(s.Principals()) != 1 {
		t.Errorf("list %+v", s.List())
	}
}

func TestNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"a": true, "0": true, "a.b_c-d": true, strings.Repeat("a", 64): true,
		"": false, ".a": false, "-a": false, "_a": false, "A": false, "a b": false, "a/b": false, "ä": false, "a\n": false,
		strings.Repeat("a", 65): false, "a\x1b": false,
	} {
		if ValidName(name) != valid {
			t.Errorf("%q: valid is %v", name, !valid)
		}
		if valid {
			continue
		}
		dir := t.TempDir()
		if _, err := open(t, dir).Add(name); !errors.Is(err, ErrName) {
			t.Errorf("add %q: %v", name, err)
		}
		if _, err := Open(Options{Given: map[string]string{name: "0123456789abcdef"}}); !errors.Is(err, ErrName) {
			t.Errorf("given %q: %v", name, err)
		}
	}
}

// A running relay follows what another process changes, within seconds.
func TestChangesOfOthersAreSeen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	synctest.Test(t, func(t *testing.T) {
		relay, person := open(t, dir), open(t, dir)
		if _, ok := relay.Verify("x"); ok {
			t.Error("a token before there is any")
		}
		token := add1(t, person, "alice")
		time.Sleep(look)
		if !knows(relay, token, "alice") {
			t.Error("a new token is unknown")
		}
		other := add1(t, person, "bob")
		if err := person.Remove("alice"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(look)
		if knows(relay, token, "alice") || !knows(relay, other, "bob") {
			t.Error("a removed token is known, or one that stayed is not")
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(look)
		if knows(relay, other, "bob") {
			t.Error("a token outlives its file")
		}
		third := add1(t, person, "carol")
		time.Sleep(look)
		if !knows(relay, third, "carol") {
			t.Error("a new directory is not seen")
		}
	})
}

// What cannot be trusted lets nobody in, also while the relay runs, and says
// so once.
func TestBrokenFileClosesTheDoor(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, err := Open(Options{
			Dir: dir, Given: map[string]string{"given": "0123456789abcdef"},
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		token := add1(t, s, "alice")
		good, err := os.ReadFile(filepath.Join(dir, storeFile))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, storeFile, `{"version":1,"tokens":[{"name":"evil"}]}`)
		for range 3 {
			time.Sleep(look)
			if knows(s, token, "alice") || !knows(s, "0123456789abcdef", "given") {
				t.Error("a broken file lets in the wrong ones")
			}
		}
		if n := strings.Count(log.String(), "cannot be used"); n != 1 || strings.Contains(log.String(), token) {
			t.Errorf("%d lines in the log: %s", n, &log)
		}
		if _, err := s.Add("bob"); err == nil {
			t.Error("a broken file was replaced")
		}
		if _, err := Open(Options{Dir: dir}); err == nil {
			t.Error("a broken file was opened")
		}
		write(t, dir, storeFile, string(good))
		time.Sleep(look)
		if !knows(s, token, "alice") {
			t.Error("the file is in order again, and its token unknown")
		}
	})
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Many processes at once lose no change of one another.
func TestChangesAreNotLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mcp-relay")
	var all sync.WaitGroup
	tokens := make([]string, 16)
	for i := range tokens {
		all.Go(func() {
			s, err := Open(Options{Dir: dir})
			if err == nil {
				tokens[i], err = s.Add(fmt.Sprint("n", i))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := open(t, dir)
	for i, token := range tokens {
		if !knows(s, token, fmt.Sprint("n", i)) {
			t.Errorf("token %d is lost", i)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 { // and the lock
		t.Errorf("%d files in the directory: %v", len(files), err)
	}
}

func TestNoDirectory(t *testing.T) {
	s := open(t, "", "given", "0123456789abcdef")
	if !knows(s, "0123456789abcdef", "given") {
		t.Error("a given token is unknown")
	}
	if _, err := s.Add("alice"); !errors.Is(err, errNoDirectory) {
		t.Errorf("add: %v", err)
	}
	if _, err := s.Generated(); !errors.Is(err, ErrNotGenerated) {
		t.Errorf("generated: %v", err)
	}
	if path, err := s.Ensure(); path != "" || err != nil {
		t.Errorf("ensure: %q, %v", path, err)
	}
	if _, err := open(t, "").Ensure(); !errors.Is(err, errNoDirectory) {
		t.Errorf("ensure without anything: %v", err)
	}
}

// Nothing but the file that is meant to holds a token in the clear, and nobody
// else can read any of them.
func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mcp-relay")
	s := open(t, dir)
	if _, err := s.Ensure(); err != nil {
		t.Fatal(err)
	}
	plain, err := s.Generated()
	if err != nil {
		t.Fatal(err)
	}
	added := add1(t, s, "alice")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), added) || f.Name() != plainFile && strings.Contains(string(text), plain) {
			t.Errorf("%s holds a token", f.Name())
		}
		info, err := f.Info()
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info, err)
	}
}
