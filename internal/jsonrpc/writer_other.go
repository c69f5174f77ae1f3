//go:build !unix

package jsonrpc

import "os"

// newFileOutput: there is no way here to write without blocking.
func newFileOutput(f *os.File) output { return plainOutput{f} }
