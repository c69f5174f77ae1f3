package audit

import (
	"errors"
	"fmt"

	"github.com/mcp-relay/relay/internal/statefile"
)

// KeyFile is the name, in the relay's state directory, of the key that records
// are chained with.
const KeyFile = "audit.key"

var errKey = errors.New("the key of the audit record is not one: restore it, or remove it and begin a record in another file")

// readKey reads the installation's key.
func readKey(dir *statefile.Dir) ([]byte, error) { return checkKey(dir.Key(KeyFile)) }

// ensureKey reads the installation's key, and makes it when there is none.
func ensureKey(dir *statefile.Dir) ([]byte, error) { return checkKey(dir.EnsureKey(KeyFile)) }

func checkKey(key []byte, err error) ([]byte, error) {
	switch {
	case errors.Is(err, statefile.ErrKey):
		return nil, errKey
	case err != nil:
		return nil, fmt.Errorf("finding the key of the audit record: %w", err)
	default:
		return key, nil
	}
}
