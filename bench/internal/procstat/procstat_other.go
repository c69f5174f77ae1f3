//go:build !linux

package procstat

import "time"

// Tree finds nothing here.
func Tree(int) []Proc { return nil }

// CPU is zero here.
func CPU(int) time.Duration { return 0 }

// Reaped is zero here.
func Reaped(int) time.Duration { return 0 }

// Self is zero here.
func Self() time.Duration { return 0 }

// Mem is zero here.
func Mem(int) Memory { return Memory{} }

// ResetPeak does nothing here.
func ResetPeak(int) {}
