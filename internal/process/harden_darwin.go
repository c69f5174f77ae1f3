package process

// makeUndumpable does nothing: macOS has no such switch for unsigned programs.
func makeUndumpable() error { return nil }
