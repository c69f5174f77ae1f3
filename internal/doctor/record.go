package doctor

import (
	"fmt"
	"os"

	"github.com/mcp-relay/relay/internal/audit"
)

// quickRecord is the size up to which the chain of a record is checked, in bytes.
const quickRecord = 64 << 20

// Record looks whether the audit record at path is what was written.
func Record(path string) Check {
	c := Check{Area: Storage, Subject: path, Status: OK}
	info, err := os.Stat(path)
	if err != nil {
		c.What = "there is no audit record yet"
		return c
	}
	if info.Size() > quickRecord {
		c.What = "the audit record is long; relay audit verify checks whether it is what was written"
		return c
	}
	r, err := audit.Verify("", path)
	switch {
	case err != nil:
		c.Status, c.What, c.Do = Warn, "the audit record cannot be checked: "+err.Error(), "run relay audit verify"
	case !r.Intact:
		c.Status, c.What = Fail, "the audit record is not what was written"
		c.Do = "relay audit verify says where; docs/audit.md says what that can mean"
	default:
		c.What = fmt.Sprintf("the audit record is what was written: %d records", r.Records)
	}
	return c
}
