//go:build !race

package sandbox

const traced = false
