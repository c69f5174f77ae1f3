//go:build !linux

package conformance

import "time"

func memory(int) (int, bool) { return 0, false }

func processorTime(int) (time.Duration, bool) { return 0, false }

func listeners(int) []string { return nil }
