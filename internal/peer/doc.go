// Package peer holds what the front, the relay and the downstream side share:
// content that may leave ([Cleared]), what a server answered ([Reply]) and who
// receives what a server says by itself ([Handler]).
package peer
