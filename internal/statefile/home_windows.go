package statefile

import "path/filepath"

// homeDir returns %LocalAppData%.
func homeDir(getenv func(string) string, home func() (string, error)) (string, error) {
	if dir := getenv("LocalAppData"); filepath.IsAbs(dir) {
		return dir, nil
	}
	return under(home, "AppData", "Local")
}
