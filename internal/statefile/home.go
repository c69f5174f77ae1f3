package statefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errNoHome is met where neither the home nor the state directory is known.
var errNoHome = errors.New("neither a home nor a state directory is known: set HOME or XDG_STATE_HOME to an absolute path")

// Home returns the directory in which the relay keeps what it remembers:
// mcp-relay in the user's state directory. It need not exist. An environment
// variable with a relative path is ignored, because it would mean the directory
// in which the relay happens to be started.
func Home() (string, error) {
	dir, err := homeDir(os.Getenv, os.UserHomeDir)
	if err != nil {
		return "", fmt.Errorf("finding the state directory: %w", err)
	}
	return filepath.Join(dir, "mcp-relay"), nil
}

// under returns a directory below the user's home.
func under(home func() (string, error), elem ...string) (string, error) {
	dir, err := home()
	if err != nil || !filepath.IsAbs(dir) {
		return "", errNoHome
	}
	return filepath.Join(append([]string{dir}, elem...)...), nil
}
