package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/mcp-relay/relay/scanner"
)

// clearer is a scanner without which no message of the chaos is clean: every one
// holds a mark of its own, and the clearer has it taken out. A mark that arrives was
// judged by nobody. It is also easily broken: by what it is shown (pills) and by
// what stands in its control file.
type clearer struct{ control string }

// marked are the marks that only a scanner can clear.
var marked = regexp.MustCompile(`UNCLEARED-\d+`)

// The pills: content that breaks the scanner.
const (
	pillCrash   = "PILL-crash"
	pillHang    = "PILL-hang"
	pillCorrupt = "PILL-corrupt"
)

var pills = []string{pillCrash, pillHang, pillCorrupt}

// What may stand in the control file.
const (
	controlSlow    = "slow"
	controlCorrupt = "corrupt"
)

func clearerMain() { scanner.Serve(&clearer{}) }

func (c *clearer) Describe() scanner.Info { return scanner.Info{Name: "clearer", Version: "1"} }

func (c *clearer) Configure(_ context.Context, config []byte) error {
	var s struct{ Control string }
	if err := json.Unmarshal(config, &s); err != nil {
		return err
	}
	if s.Control == "" {
		return errors.New("where is the control file?")
	}
	c.control = s.Control
	return nil
}

// corrupt is a verdict that makes no sense.
func corrupt() scanner.Verdict {
	return scanner.Redact(scanner.Finding{
		Rule: "test/corrupt", Category: "test.corrupt", Redact: true, Location: scanner.Location{Pointer: "/not/there", Start: 7, End: 3},
	})
}

func (c *clearer) Scan(ctx context.Context, content scanner.Content) (scanner.Verdict, error) {
	switch text := string(content.Data); {
	case strings.Contains(text, pillCrash):
		os.Exit(3)
	case strings.Contains(text, pillHang):
		select {} // also when it is told to stop
	case strings.Contains(text, pillCorrupt):
		return corrupt(), nil
	}
	mode, _ := os.ReadFile(c.control)
	switch string(mode) {
	case controlSlow:
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
		}
	case controlCorrupt:
		return corrupt(), nil
	}
	var findings []scanner.Finding
	for pointer, text := range content.Strings() {
		for _, at := range marked.FindAllStringIndex(text, -1) {
			findings = append(findings, scanner.Finding{
				Rule: "test/mark", Category: "test.mark", Redact: true,
				Location: scanner.Location{Pointer: pointer, Start: at[0], End: at[1]},
			})
		}
	}
	if len(findings) == 0 {
		return scanner.Allow(), nil
	}
	return scanner.Redact(findings...), nil
}
