package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"strings"

	"github.com/mcp-relay/relay/internal/printable"
)

// demoRecord is what the demo shows of an audit record.
type demoRecord struct {
	ScanID   string `json:"scan_id"`
	Phase    string `json:"phase"`
	Action   string `json:"action"`
	Findings []struct {
		Rule     string `json:"rule"`
		Category string `json:"category"`
		Pointer  string `json:"pointer"`
	} `json:"findings"`
}

// why says what the audit record has of a scan: by its id, or, for a
// definition, by the tool's place in the catalogue.
func (s *stage) why(phase, tool, scanID string) {
	place := ""
	for i := range s.script.Tools {
		if phase != "" && s.script.Tools[i].Name() == tool {
			place = "/tools/" + strconv.Itoa(i) + "/"
		}
	}
	for _, line := range s.records() {
		var r demoRecord
		if json.Unmarshal([]byte(line), &r) != nil {
			continue
		}
		if phase != "" && r.Phase != phase || phase == "" && (scanID == "" || r.ScanID != scanID) {
			continue
		}
		for _, f := range r.Findings {
			if strings.HasPrefix(f.Pointer+"/", place) {
				s.say("            %s: %s at %s\n", printable.String(f.Category), printable.String(f.Rule), printable.String(f.Pointer))
			}
		}
	}
}

// sampleRecord returns a line of the audit record with a finding, if there is
// one.
func (s *stage) sampleRecord() string {
	for _, line := range s.records() {
		if strings.Contains(line, `"findings"`) && strings.Contains(line, `"response"`) {
			return line
		}
	}
	return ""
}

func (s *stage) records() []string {
	f, err := os.Open(s.auditLog)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	var all []string
	scan := bufio.NewScanner(f)
	for scan.Scan() {
		all = append(all, scan.Text())
	}
	return all
}
