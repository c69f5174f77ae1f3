package oauth

import (
	"os"
	"path/filepath"
	"strconv"
)

// keychainLikely reports whether a session bus is there. Without one the
// library would start a program of whatever name PATH leads to.
func keychainLikely() bool {
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return true
	}
	info, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus"))
	return err == nil && info.Mode()&os.ModeSocket != 0
}
