package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errNoState is met where neither the home nor the state directory is known.
var errNoState = errors.New("there is no absolute state directory: set the path of the audit log in the configuration")

// DefaultPath returns where records go when the configuration does not say:
// mcp-relay/audit.jsonl in the user's state directory. An environment variable
// with a relative path is ignored, because it would mean the directory in which
// the relay happens to be started.
func DefaultPath() (string, error) {
	dir, err := stateDir(os.Getenv, os.UserHomeDir)
	if err != nil {
		return "", fmt.Errorf("finding a place for the audit log: %w", err)
	}
	return filepath.Join(dir, "mcp-relay", "audit.jsonl"), nil
}

// under returns a directory below the user's home.
func under(home func() (string, error), elem ...string) (string, error) {
	dir, err := home()
	if err != nil || !filepath.IsAbs(dir) {
		return "", errNoState
	}
	return filepath.Join(append([]string{dir}, elem...)...), nil
}
