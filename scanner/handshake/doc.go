// Package handshake holds the constants on which the relay and a scanner must
// agree before they can talk: the magic cookie, the protocol number, names and
// limits. It holds nothing else, so that both sides import it without importing
// each other.
package handshake
