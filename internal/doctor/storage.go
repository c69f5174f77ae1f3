package doctor

import (
	"fmt"
	"os"
	"path/filepath"
)

// MiB is a mebibyte.
const MiB = 1 << 20

// Space looks at whether the disk of a file has room for what may be written to
// it, in bytes.
func Space(path string, need uint64) Check {
	c := Check{Area: Storage, Subject: path, Status: OK}
	dir := path
	for { // the directory may not be there yet
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	free, ok := available(dir)
	switch {
	case !ok:
		c.Status, c.What = Warn, "the space on the disk cannot be found out"
	case free < need/10 || free < 16*MiB:
		c.Status = Fail
		c.What = fmt.Sprintf("%d MiB are free where the audit record may take %d MiB", free/MiB, need/MiB)
		c.Do = "make room, or move it with relay.audit.path; when records cannot be written, relay.audit.on_error decides"
	case free < need:
		c.Status = Warn
		c.What = fmt.Sprintf("%d MiB are free where the audit record may take %d MiB", free/MiB, need/MiB)
		c.Do = "make room, or lower relay.audit.max_size_mb and max_backups"
	default:
		c.What = fmt.Sprintf("%d MiB are free; the audit record may take %d MiB", free/MiB, need/MiB)
	}
	return c
}
