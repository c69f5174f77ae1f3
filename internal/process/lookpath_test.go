//go:build unix

package process

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestLookPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool")
	if err := os.WriteFile(tool, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, path, want string }{
		{"tool", "/nowhere:" + dir, tool},
		{"tool", "", ""},
		{"tool", ":.", ""}, // the working directory is never searched
		{"data", dir, ""},
		{"./tool", dir, "./tool"},
		{"/a/b", "", "/a/b"},
		{"", dir, ""},
	} {
		got, err := LookPath(test.name, []string{"PATH=/old", "PATH=" + test.path})
		if got != test.want || (test.want == "") != errors.Is(err, ErrNotFound) {
			t.Errorf("LookPath(%q, %q) = %q, %v; want %q", test.name, test.path, got, err, test.want)
		}
	}
}
