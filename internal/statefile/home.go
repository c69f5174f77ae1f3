package statefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errNoHome is met where the home directory is not known, and no variable says
// where else its files are.
var errNoHome = errors.New("no home directory is known: set HOME, or XDG_STATE_HOME and XDG_DATA_HOME, to an absolute path")

// Home returns the directory in which the relay keeps what it remembers:
// mcp-relay in the user's state directory ($XDG_STATE_HOME, ~/Library/Application
// Support, %LocalAppData%). It need not exist. An environment variable with a
// relative path is ignored, because it would mean the directory in which the
// relay happens to be started.
func Home() (string, error) { return ownDir(stateDir) }

// DataHome returns the directory in which the relay keeps what the user installed:
// mcp-relay in the user's data directory ($XDG_DATA_HOME, and as above). All that
// is said of Home holds for it.
func DataHome() (string, error) { return ownDir(dataDir) }

func ownDir(of func() (string, error)) (string, error) {
	dir, err := of()
	if err != nil {
		return "", fmt.Errorf("finding the relay's directory: %w", err)
	}
	return filepath.Join(dir, "mcp-relay"), nil
}

// within returns the directory that a variable names, else one below the user's
// home.
func within(variable string, elem ...string) (string, error) {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil || !filepath.IsAbs(home) {
		return "", errNoHome
	}
	return filepath.Join(append([]string{home}, elem...)...), nil
}
