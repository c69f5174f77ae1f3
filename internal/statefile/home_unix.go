//go:build unix && !darwin

package statefile

func stateDir() (string, error) { return within("XDG_STATE_HOME", ".local", "state") }

func dataDir() (string, error) { return within("XDG_DATA_HOME", ".local", "share") }
