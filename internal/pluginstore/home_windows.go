package pluginstore

import (
	"os"
	"path/filepath"
)

func dataDir() (string, error) {
	if dir := os.Getenv("LocalAppData"); filepath.IsAbs(dir) {
		return dir, nil
	}
	return underHome("AppData", "Local")
}
