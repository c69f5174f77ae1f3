package statefile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func create(t *testing.T) (*Dir, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d, path
}

func TestFiles(t *testing.T) {
	d, path := create(t)
	if _, _, err := d.Read("x", 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if err := d.Remove("x"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"one", "", "0123456789"} {
		if err := d.Write("x", []byte(text)); err != nil {
			t.Fatal(err)
		}
		data, info, err := d.Read("x", 10)
		if err != nil || string(data) != text || info.Size() != int64(len(text)) {
			t.Errorf("%q, %v", data, err)
		}
	}
	if _, _, err := d.Read("x", 9); !errors.Is(err, ErrForeign) {
		t.Errorf("too long: %v", err)
	}
	left, err := os.ReadDir(path)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if runtime.GOOS != "windows" {
		for name, want := range map[string]fs.FileMode{"": 0o700, "x": 0o600} {
			if info, err := os.Stat(filepath.Join(path, name)); err != nil || info.Mode().Perm() != want {
				t.Errorf("%q: %v, %v", name, info.Mode(), err)
			}
		}
	}
	if err := d.Remove("x"); err != nil {
		t.Error(err)
	}
	if _, err := d.Stat("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := Open(filepath.Join(path, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// A write that fails leaves what was there, and nothing else.
func TestFailedWrite(t *testing.T) {
	d, path := create(t)
	if err := os.MkdirAll(filepath.Join(path, "x", "y"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.Write("x", []byte("one")); err == nil {
		t.Error("a directory was replaced")
	}
	if left, err := os.ReadDir(path); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

// No name leads out of the directory.
func TestNames(t *testing.T) {
	d, path := create(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "x"), []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Read("../x", 10); err == nil {
		t.Error("a file outside was read")
	}
	if err := d.Write("../y", nil); err == nil {
		t.Error("a file outside was written")
	}
	if err := d.Remove("../x"); err == nil {
		t.Error("a file outside was removed")
	}
}

func TestLock(t *testing.T) {
	d, path := create(t)
	unlock, err := d.Lock(t.Context(), "l")
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	why := errors.New("why")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 3*lockPoll, why)
	defer cancel()
	if _, err := other.Lock(ctx, "l"); !errors.Is(err, why) {
		t.Errorf("two have the lock: %v", err)
	}
	second, err := other.Lock(t.Context(), "another")
	if err != nil {
		t.Fatal(err)
	}
	second()
	time.AfterFunc(lockPoll, unlock)
	if unlock, err = other.Lock(t.Context(), "l"); err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestErrorsSayWhere(t *testing.T) {
	d, path := create(t)
	if err := os.Mkdir(filepath.Join(path, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Read("x", 10); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}
