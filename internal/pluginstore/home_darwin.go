package pluginstore

func dataDir() (string, error) { return underHome("Library", "Application Support") }
