package oauth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
)

// fakeKeychain is a keychain in memory.
type fakeKeychain struct {
	mu      sync.Mutex
	entries map[string]string
	err     error // of every use
	hide    int   // it disappears after so many reads; 0: never
	block   chan struct{}
}

func (k *fakeKeychain) Get(service, user string) (string, error) {
	if k.block != nil {
		<-k.block
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hide > 0 {
		if k.hide--; k.hide == 0 {
			defer func() { k.err = errors.New("gone") }()
		}
	}
	if k.err != nil {
		return "", k.err
	}
	s, ok := k.entries[service+user]
	if !ok {
		return "", keyring.ErrNotFound
	}
	return s, nil
}

func (k *fakeKeychain) Set(service, user, password string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return k.err
	}
	if k.entries == nil {
		k.entries = map[string]string{}
	}
	k.entries[service+user] = password
	return nil
}

func testStore(t *testing.T, storage Storage) (*store, *fakeKeychain) {
	t.Helper()
	k := &fakeKeychain{}
	s := newStore(filepath.Join(t.TempDir(), "state", "oauth"), "github", mcpURL, storage)
	s.keys = k
	return s, k
}

func testRecord() *record {
	return &record{
		Server: "github", URL: mcpURL, Issuer: issuerURL, Access: canaryAccess, Refresh: canaryRefresh, ClientSecret: canarySecret,
		Obtained: time.Now().Round(0), Requested: []string{"a"},
	}
}

func TestStore(t *testing.T) {
	for _, tt := range []struct {
		storage Storage
		broken  bool // the keychain
		kind    Storage
	}{
		{File, false, File}, {Auto, false, Keychain}, {Keychain, false, Keychain}, {Auto, true, File}, {Keychain, true, ""},
	} {
		t.Run(fmt.Sprintf("%s, broken %v", tt.storage, tt.broken), func(t *testing.T) {
			s, k := testStore(t, tt.storage)
			if tt.broken {
				k.err = errors.New("no bus: " + canarySecret)
			}
			if r, err := s.load(t.Context()); r != nil || err != nil {
				t.Fatalf("before: %v, %v", r, err)
			}
			kind, err := s.save(t.Context(), testRecord())
			if kind != tt.kind || (err != nil) != (tt.kind == "") {
				t.Fatalf("%q, %v", kind, err)
			}
			if err != nil {
				if !errors.Is(err, errNoKeychain) || strings.Contains(err.Error(), "canary") {
					t.Error(err)
				}
				if s.look() != (stamp{}) {
					t.Error("it was written to a file all the same")
				}
				return
			}
			r, err := s.load(t.Context())
			if err != nil || r.Access != canaryAccess || r.Refresh != canaryRefresh || r.Requested[0] != "a" {
				t.Errorf("%+v, %v", r, err)
			}
			text, err := os.ReadFile(filepath.Join(s.dir, s.name+".json"))
			if err != nil || bytes.Contains(text, []byte("canary")) != (kind == File) {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}

func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files inherit who may read them")
	}
	s, _ := testStore(t, File)
	unlock, err := s.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.save(t.Context(), testRecord()); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := s.leaveNote(t.Context(), true, challenge{scopes: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err = filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen++
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil || seen != 4 { // the directory, the record, the note, the lock
		t.Errorf("%d files, %v", seen, err)
	}
}

// A login that cannot be stored takes nothing away.
func TestFailedLoginKeepsTheOldOne(t *testing.T) {
	s, k := testStore(t, Keychain)
	c := &Client{store: s}
	if _, err := c.keep(t.Context(), testRecord()); err != nil {
		t.Fatal(err)
	}
	k.err = errors.New("locked")
	if _, err := c.keep(t.Context(), testRecord()); !errors.Is(err, errNoKeychain) {
		t.Fatal(err)
	}
	k.err = nil
	if r, err := s.load(t.Context()); r == nil || err != nil {
		t.Errorf("%v, %v", r, err)
	}
}

// Where others can write, nothing is read or written.
func TestForeignFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files inherit who may read them")
	}
	for name, spoil := range map[string]func(s *store) error{
		"a directory for all":       func(s *store) error { return os.Chmod(s.dir, 0o777) },
		"a file for all":            func(s *store) error { return os.Chmod(filepath.Join(s.dir, s.name+".json"), 0o644) },
		"a directory for the group": func(s *store) error { return os.Chmod(s.dir, 0o770) },
		"a link": func(s *store) error {
			file := filepath.Join(s.dir, s.name+".json")
			if err := os.Rename(file, file+".real"); err != nil {
				return err
			}
			return os.Symlink(file+".real", file)
		},
		"a directory in its place": func(s *store) error {
			file := filepath.Join(s.dir, s.name+".json")
			return errors.Join(os.Remove(file), os.Mkdir(file, 0o700))
		},
		"half a file": func(s *store) error { return os.Truncate(filepath.Join(s.dir, s.name+".json"), 40) },
		"no JSON":     func(s *store) error { return os.WriteFile(filepath.Join(s.dir, s.name+".json"), nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := testStore(t, File)
			if _, err := s.save(t.Context(), testRecord()); err != nil {
				t.Fatal(err)
			}
			if err := spoil(s); err != nil {
				t.Fatal(err)
			}
			r, err := s.load(t.Context())
			if r != nil || err == nil {
				t.Errorf("%+v, %v", r, err)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Error(err)
			}
		})
	}
}

// A login is of use for the server, the address and the key that it was made
// with.
func TestBinding(t *testing.T) {
	s, k := testStore(t, Auto)
	if _, err := s.save(t.Context(), testRecord()); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]*store{
		"another name":    newStore(s.dir, "other", mcpURL, Auto),
		"another address": newStore(s.dir, "github", mcpURL+"/x", Auto),
	} {
		other.keys = k
		if r, err := other.load(t.Context()); r != nil || err != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
		// A file that somebody copies does not become another's.
		if err := os.Link(filepath.Join(s.dir, s.name+".json"), filepath.Join(s.dir, other.name+".json")); err != nil {
			t.Fatal(err)
		}
		if r, err := other.load(t.Context()); r != nil || !errors.Is(err, errUnreadable) {
			t.Errorf("%s, copied: %v, %v", name, r, err)
		}
	}
	plain := newStore(s.dir, "github", mcpURL, File)
	if r, err := plain.load(t.Context()); r != nil || !errors.Is(err, errUnreadable) {
		t.Errorf("sealed, but files were asked for: %v, %v", r, err)
	}
	file := filepath.Join(s.dir, s.name+".json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)-10] ^= 1
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := s.load(t.Context()); r != nil || !errors.Is(err, errUnreadable) {
		t.Errorf("altered: %v, %v", r, err)
	}
	k.entries = nil
	if r, err := s.load(t.Context()); r != nil || !errors.Is(err, errUnreadable) {
		t.Errorf("without its key: %v, %v", r, err)
	}
	if len(k.entries) > 0 {
		t.Error("reading made a key")
	}
}

// A plain file is no login where the user asked for the keychain.
func TestPlainWhereKeychainIsAsked(t *testing.T) {
	s, k := testStore(t, File)
	if _, err := s.save(t.Context(), testRecord()); err != nil {
		t.Fatal(err)
	}
	strict := newStore(s.dir, "github", mcpURL, Keychain)
	strict.keys = k
	if r, err := strict.load(t.Context()); r != nil || !errors.Is(err, errUnreadable) {
		t.Errorf("%v, %v", r, err)
	}
}

// A keychain that asks and asks does not hang the relay.
func TestKeychainThatBlocks(t *testing.T) {
	k := &fakeKeychain{block: make(chan struct{})}
	defer close(k.block)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := sealingKey(ctx, k, true); !errors.Is(err, errNoKeychain) {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	s, _ := testStore(t, File)
	unlock, err := s.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := newStore(s.dir, "github", mcpURL, File)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := other.lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	unlock()
	if unlock, err = other.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestNoDirectory(t *testing.T) {
	for _, dir := range []string{"", "here"} {
		s := newStore(dir, "github", mcpURL, File)
		if _, err := s.save(t.Context(), testRecord()); !errors.Is(err, errDir) {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

// However a secret is printed, it is not shown.
func TestSecretsAreNotPrinted(t *testing.T) {
	var b bytes.Buffer
	r := testRecord()
	g := &grant{Access: canaryAccess, Refresh: canaryRefresh}
	log := slog.New(slog.NewJSONHandler(&b, nil))
	for _, v := range []any{*r, g, r.identity(), r.Access} {
		fmt.Fprintf(&b, "%v %+v %#v %s\n", v, v, v, v)
	}
	fmt.Fprintln(&b, r, g)
	log.Info("x", "token", r.Access)
	if strings.Contains(b.String(), "canary") || !strings.Contains(b.String(), hidden) {
		t.Errorf("%s", b.String())
	}
}
