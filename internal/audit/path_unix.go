//go:build unix && !darwin

package audit

import "path/filepath"

// stateDir returns the XDG state directory.
func stateDir(getenv func(string) string, home func() (string, error)) (string, error) {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	return under(home, ".local", "state")
}
