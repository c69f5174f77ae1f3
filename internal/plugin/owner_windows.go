package plugin

import (
	"io/fs"
	"os"
	"time"
)

// checkChain accepts every path: who may write a file is a matter of access
// lists on Windows, and the installer's default ones protect program folders.
// A declared digest is checked there as everywhere.
func checkChain(string) error { return nil }

func ours(fs.FileInfo) bool { return true }

// lock reports false, so that no directory is taken for a stale one.
func lock(*os.File, time.Duration) bool { return false }
