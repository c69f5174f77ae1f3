//go:build unix && !darwin

package pluginstore

import (
	"os"
	"path/filepath"
)

func dataDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	return underHome(".local", "share")
}
