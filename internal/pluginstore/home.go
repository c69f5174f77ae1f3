package pluginstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Home returns the directory of installed scanners: mcp-relay in the user's data
// directory ($XDG_DATA_HOME, ~/Library/Application Support, %LocalAppData%). It
// need not exist.
func Home() (string, error) {
	dir, err := dataDir()
	if err != nil {
		return "", fmt.Errorf("find the directory of installed scanners: %w", err)
	}
	return filepath.Join(dir, "mcp-relay"), nil
}

func underHome(elem ...string) (string, error) {
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return "", errors.New("no home directory is known: set HOME to an absolute path")
	}
	return filepath.Join(append([]string{home}, elem...)...), nil
}
