//go:build !linux

package oauth

// keychainLikely reports whether it is worth asking for a keychain.
func keychainLikely() bool { return true }
