//go:build unix

package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAccess(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name   string
		mode   os.FileMode
		secret bool
		want   Status
	}{
		{"own", 0o600, true, OK},
		{"read", 0o644, true, Fail},
		{"read, which is no matter", 0o644, false, OK},
		{"group", 0o620, false, Fail},
		{"others", 0o602, true, Fail},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		r := Access([]Path{{What: "file", Name: path, Secret: c.secret}, {What: "nothing", Name: path + "/x/y"}, {What: "nothing", Name: path + ".not"}})
		if r[0].Status != c.want {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}
