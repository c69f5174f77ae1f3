//go:build unix && !darwin

package statefile

import "path/filepath"

// homeDir returns the XDG state directory.
func homeDir(getenv func(string) string, home func() (string, error)) (string, error) {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	return under(home, ".local", "state")
}
