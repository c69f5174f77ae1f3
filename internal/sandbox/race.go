//go:build race

package sandbox

// traced programs map far more memory than they use.
const traced = true
