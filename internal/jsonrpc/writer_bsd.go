//go:build unix && !linux

package jsonrpc

// pollWrite is how many bytes can be written without blocking to a pipe that
// poll calls writable: PIPE_BUF, which POSIX lets be as small as this.
const pollWrite = 512
