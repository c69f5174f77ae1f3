package audit

// stateDir returns ~/Library/Application Support.
func stateDir(_ func(string) string, home func() (string, error)) (string, error) {
	return under(home, "Library", "Application Support")
}
