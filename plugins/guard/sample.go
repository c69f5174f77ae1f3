package guard

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/mcp-relay/relay/scanner"
)

// sampleFile is harmless content on which a user's rules are tried: lines of
// JSON, as in testdata/corpus, whose README says where each comes from.
//
//go:embed sample/benign.jsonl.gz
var sampleFile []byte

// sampleItem is one harmless definition, request or response.
type sampleItem struct {
	ID    string          `json:"id"`
	Phase string          `json:"phase"`
	Text  string          `json:"text"`
	JSON  json.RawMessage `json:"json"`
}

// longestLine bounds a line of the sample, in bytes.
const longestLine = 1 << 20

func readSample() ([]sampleItem, error) {
	z, err := gzip.NewReader(bytes.NewReader(sampleFile))
	if err != nil {
		return nil, fmt.Errorf("open the sample: %w", err)
	}
	var items []sampleItem
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		var item sampleItem
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			return nil, fmt.Errorf("read the sample: %w", err)
		}
		items = append(items, item)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the sample: %w", err)
	}
	return items, nil
}

// content wraps the item as the relay hands it to a scanner.
func (i *sampleItem) content() scanner.Content {
	c := scanner.Content{Phase: scanner.PhaseResponse, Kind: scanner.KindJSON}
	switch i.Phase {
	case "tool_description":
		c.Phase, c.Data = scanner.PhaseDefinition, fmt.Appendf(nil, `{"tools":[%s]}`, i.JSON)
	case "request":
		c.Phase, c.Data = scanner.PhaseRequest, i.JSON
	default:
		text, err := json.Marshal(i.Text)
		if err != nil {
			return scanner.Content{} // a string always marshals
		}
		c.Data = fmt.Appendf(nil, `{"content":[{"type":"text","text":%s}]}`, text)
	}
	return c
}
