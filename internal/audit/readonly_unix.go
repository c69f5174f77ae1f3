//go:build unix

package audit

import "syscall"

// errReadOnly is met on a file system that nobody can write to.
const errReadOnly = syscall.EROFS
