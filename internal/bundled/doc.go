// Package bundled knows the scanners that ship inside the relay's binary. The
// relay starts itself as their process: there is no other way from the relay to
// a scanner than the contract.
package bundled
