//go:build !unix

package audit

import "io/fs"

// errReadOnly is met on a file system that nobody can write to.
var errReadOnly = fs.ErrPermission
