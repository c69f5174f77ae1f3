package statefile

// homeDir returns ~/Library/Application Support.
func homeDir(_ func(string) string, home func() (string, error)) (string, error) {
	return under(home, "Library", "Application Support")
}
