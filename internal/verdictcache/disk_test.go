package verdictcache

import (
	"bytes"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/mcp-relay/relay/internal/verdict"
)

func onDisk(dir string) *Store {
	return Open(Options{Memory: 1 << 20, TTL: time.Hour, Dir: dir, Logger: slog.New(slog.DiscardHandler)})
}

func definition(text string) verdict.Content {
	c := content(text)
	c.Phase = verdict.Definition
	return c
}

// keep leaves a verdict on a definition in a directory.
func keep(t *testing.T, dir, text string) {
	t.Helper()
	store := onDisk(dir)
	scan(t, New(&judge{}, all(), store, time.Second), definition(text))
	store.Close()
}

// kept reports whether another process finds it.
func kept(t *testing.T, dir, text string) bool {
	t.Helper()
	store := onDisk(dir)
	defer store.Close()
	return scan(t, New(&judge{}, all(), store, time.Second), definition(text)).Cached
}

// papers returns the paths of the files with verdicts.
func papers(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "????????????????????????????????????????"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNextProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "verdicts")
	keep(t, dir, `{"tools":[]}`)
	if !kept(t, dir, `{"tools":[]}`) {
		t.Error("not there in the next process")
	}
	if kept(t, dir, `{"tools":[1]}`) {
		t.Error("another definition was not judged")
	}
	store := onDisk(dir)
	scan(t, New(&judge{}, all(), store, time.Second), content(`{}`))
	store.Close()
	if n := len(papers(t, dir)); n != 2 {
		t.Errorf("%d files for two definitions and a request", n)
	}
}

func TestTamperedFiles(t *testing.T) {
	const one, two = `{"tools":["one"]}`, `{"tools":["two"]}`
	read := func(t *testing.T, path string) []byte {
		t.Helper()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, change := range map[string]func(t *testing.T, text []byte, dir string) []byte{
		"altered": func(_ *testing.T, text []byte, _ string) []byte {
			return bytes.Replace(text, []byte(`"Action":1`), []byte(`"Action":2`), 1)
		},
		"truncated": func(_ *testing.T, text []byte, _ string) []byte { return text[:len(text)-1] },
		"empty":     func(*testing.T, []byte, string) []byte { return nil },
		"no code":   func(_ *testing.T, text []byte, _ string) []byte { return text[64:] },
		"longer":    func(_ *testing.T, text []byte, _ string) []byte { return append(text, ' ') },
		"copied from another definition": func(t *testing.T, _ []byte, dir string) []byte {
			before := papers(t, dir)[0]
			keep(t, dir, two)
			for _, path := range papers(t, dir) {
				if path != before {
					return read(t, path)
				}
			}
			return nil
		},
		"copied from another installation": func(t *testing.T, _ []byte, _ string) []byte {
			other := t.TempDir()
			keep(t, other, one)
			return read(t, papers(t, other)[0])
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			keep(t, dir, one)
			path := papers(t, dir)[0]
			if err := os.WriteFile(path, change(t, read(t, path), dir), 0o600); err != nil {
				t.Fatal(err)
			}
			store := onDisk(dir)
			defer store.Close()
			id := Identity{}
			c := definition(one)
			p := partsOf(&id, &c)
			if _, ok := store.get(p.sum(), &c); ok {
				t.Error("it counted")
			}
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("it is still there: %v", err)
			}
		})
	}
}

func TestFilesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		keep(t, dir, `{}`)
		time.Sleep(time.Hour - time.Second)
		if !kept(t, dir, `{}`) {
			t.Error("gone too early")
		}
		time.Sleep(time.Second)
		if kept(t, dir, `{}`) {
			t.Error("kept too long, or for longer than it was given")
		}
	})
	// Of tomorrow, by a clock that was set back.
	secret, key := fresh(), Sum{}
	text, err := seal(secret, key, &paper{Made: time.Now().Add(24 * time.Hour), Verdict: verdict.Verdict{Action: verdict.Allow}})
	if err != nil {
		t.Fatal(err)
	}
	c := definition(`{}`)
	if _, err := unseal(secret, key, text, time.Hour, &c); err == nil {
		t.Error("a verdict of tomorrow counts")
	}
}

func TestTidy(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, `{}`)
	old := filepath.Join(dir, "0123456789012345678901234567890123456789")
	if err := os.WriteFile(old, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{old, filepath.Join(dir, secretFile)} {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, dir, `{"a":1}`)
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("an old file is still there: %v", err)
	}
	if !kept(t, dir, `{}`) || !kept(t, dir, `{"a":1}`) {
		t.Error("a fresh file is gone")
	}
}

func TestBrokenKey(t *testing.T) {
	dir := t.TempDir()
	keep(t, dir, `{}`)
	if err := os.WriteFile(filepath.Join(dir, secretFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if kept(t, dir, `{}`) {
		t.Error("a verdict counts without a key")
	}
}

func FuzzUnseal(f *testing.F) {
	secret, key := fresh(), Sum{1} // each process of the fuzzer has its own
	good, err := seal(secret, key, &paper{Made: time.Now(), Verdict: verdict.Verdict{Action: verdict.Allow}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("\n{}"))
	f.Add([]byte{})
	c := definition(`{"tools":[]}`)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := unseal(secret, key, text, 24*time.Hour, &c)
		if err == nil && !bytes.Equal(text, good) {
			t.Errorf("%q counts as %+v", text, p)
		}
		// What somebody with the key writes is still held to what a verdict is.
		sealed := append(append([]byte(nil), hexCode(secret, key, text)...), append([]byte{'\n'}, text...)...)
		if p, err := unseal(secret, key, sealed, 24*time.Hour, &c); err == nil && verdict.Validate(p.Verdict, c) != nil {
			t.Errorf("%q is no verdict", text)
		}
	})
}

func hexCode(secret []byte, key Sum, body []byte) []byte {
	return hex.AppendEncode(nil, code(secret, "verdict", key, body))
}

func TestKeychain(t *testing.T) {
	keyring.MockInit()
	first := askKeychain()
	if len(first) != len(fresh()) || !bytes.Equal(askKeychain(), first) {
		t.Errorf("%x", first)
	}
	if err := keyring.Set(service, user, "no key"); err != nil {
		t.Fatal(err)
	}
	if secret := askKeychain(); secret != nil {
		t.Errorf("what is no key became %x", secret)
	}
	keyring.MockInitWithError(errPaper)
	if secret := askKeychain(); secret != nil {
		t.Errorf("without a keychain: %x", secret)
	}
}
