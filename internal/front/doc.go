// Package front turns bytes from clients into messages for the relay, and what
// the relay answers into bytes. It knows transports and nothing of what
// messages mean.
package front
