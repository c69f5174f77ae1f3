package audit

import "path/filepath"

// stateDir returns %LocalAppData%.
func stateDir(getenv func(string) string, home func() (string, error)) (string, error) {
	if dir := getenv("LocalAppData"); filepath.IsAbs(dir) {
		return dir, nil
	}
	return under(home, "AppData", "Local")
}
