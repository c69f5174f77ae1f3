package statefile

// No variable moves it.
func stateDir() (string, error) { return within("", "Library", "Application Support") }

func dataDir() (string, error) { return stateDir() }
