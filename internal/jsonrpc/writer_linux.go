package jsonrpc

// pollWrite is how many bytes can be written without blocking to a pipe that
// poll calls writable: one page of it is free.
const pollWrite = 4096
