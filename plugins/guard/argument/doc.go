// Package argument reads the arguments of a call as the programs behind a tool
// would: a resolver that takes 2130706433 for an address, a file system that
// follows parent steps however they are encoded, a shell that joins what quotes
// take apart. It finds what one value says; what follows from that is for the
// rules of package guard.
//
// Every function is pure, safe for concurrent use, never panics, and takes time
// in proportion to the text it is given.
package argument
