package verdictcache

import (
	"os"
	"path/filepath"
)

// locked reports whether the keychain would have a person do something: without
// one in this home directory the system asks for one to be made. One that is
// there is open while the user is logged in, unless the user locked it.
func locked() bool {
	home, err := os.UserHomeDir()
	if err != nil {
		return true
	}
	_, err = os.Stat(filepath.Join(home, "Library", "Keychains", "login.keychain-db"))
	return err != nil
}
