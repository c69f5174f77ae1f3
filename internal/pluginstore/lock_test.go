package pluginstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var goodSum = strings.Repeat("a1", 32)

func entry(change ...string) string {
	text := `{"name":"acme","version":"1","path":"plugins/acme/1","entry":"acme","sha256":"` + goodSum +
		`","files":{"lib/b.py":"` + goodSum + `"},"source":"x","installed":"2026-01-02T03:04:05Z"}`
	return `{"format":1,"plugins":[` + strings.NewReplacer(change...).Replace(text) + `]}`
}

func TestEditedLocks(t *testing.T) {
	if _, reason := parse([]byte(entry())); reason != "" {
		t.Fatal(reason)
	}
	for name, text := range map[string]string{
		"unknown key":          entry(`"source"`, `"trusted":true,"source"`),
		"key twice":            entry(`"source"`, `"entry":"acme","source"`),
		"key in another case":  entry(`"entry"`, `"Entry"`),
		"other format":         strings.Replace(entry(), `"format":1`, `"format":2`, 1),
		"no format":            strings.Replace(entry(), `"format":1,`, ``, 1),
		"path out":             entry("plugins/acme/1", "plugins/../../x"),
		"absolute path":        entry("plugins/acme/1", "/tmp/acme"),
		"path of another":      entry("plugins/acme/1", "plugins/acme/2"),
		"name with dots":       entry(`"acme"`, `"../x"`),
		"entry out":            entry(`"entry":"acme"`, `"entry":"../../../bin/sh"`),
		"absolute entry":       entry(`"entry":"acme"`, `"entry":"/bin/sh"`),
		"entry of Windows":     entry(`"entry":"acme"`, `"entry":"..\\x"`),
		"stream of Windows":    entry(`"entry":"acme"`, `"entry":"acme:x"`),
		"file out":             entry("lib/b.py", "../b.py"),
		"file is the program":  entry("lib/b.py", "acme"),
		"short checksum":       entry(goodSum, goodSum[:62]),
		"upper-case checksum":  entry(goodSum, strings.ToUpper(goodSum)),
		"twice":                strings.Replace(entry(), `]}`, `,`+entry()[len(`{"format":1,"plugins":[`):], 1),
		"what follows":         entry() + "{}",
		"not JSON":             "format: 1",
		"empty":                "",
		"escape in a filename": entry("lib/b.py", `lib/\u001b.py`),
	} {
		if _, reason := parse([]byte(text)); reason == "" {
			t.Errorf("%s: it was read", name)
		}
	}
}

// A lock file that was edited is refused whole, in words of ours, and a name that
// is part of the relay is not taken from it.
func TestEditedLockFile(t *testing.T) {
	s := newStore(t)
	mustInstall(t, s, tree(t), "acme", "1")
	for _, text := range []string{entry("plugins/acme/1", "\\u001b[31m"), entry("acme", "guard")} {
		if err := os.WriteFile(filepath.Join(s.Dir, lockFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := s.List()
		if _, ok := errors.AsType[*LockError](err); !ok || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%v", err)
		}
		if _, err := install(t, s, tree(t), "other", "1", false); err == nil {
			t.Error("it was written over")
		}
	}
}

func FuzzLock(f *testing.F) {
	f.Add([]byte(entry()))
	f.Add([]byte(entry("lib/b.py", "../b.py")))
	f.Add([]byte(`{"format":1,"plugins":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, reason := parse(data)
		if reason != "" {
			return
		}
		s := Store{Dir: filepath.Join(string(filepath.Separator), "store")}
		for i := range all {
			p := &all[i]
			for _, path := range []string{s.Tree(p), s.Program(p)} {
				if !strings.HasPrefix(path, filepath.Join(s.Dir, directory)+string(filepath.Separator)) {
					t.Errorf("%q leads out", path)
				}
			}
		}
	})
}
