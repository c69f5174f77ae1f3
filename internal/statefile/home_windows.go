package statefile

func stateDir() (string, error) { return within("LocalAppData", "AppData", "Local") }

func dataDir() (string, error) { return stateDir() }
