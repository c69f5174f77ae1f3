package cli

import (
	"fmt"
	"os"
	"syscall"
)

// programFile tells the file of this very program, which bundled scanners are
// started from, from any other file and from what it was before it was written
// to. It costs no look into the file. Empty: it cannot be told.
func programFile() string {
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return ""
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("file %d %d %d %d.%09d %d.%09d", s.Dev, s.Ino, s.Size, s.Mtim.Sec, s.Mtim.Nsec, s.Ctim.Sec, s.Ctim.Nsec)
}
