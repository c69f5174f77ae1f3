package process

import "errors"

// ErrForeignPeer says that the other end of a socket is not held by the child.
var ErrForeignPeer = errors.New("the socket belongs to another process")
