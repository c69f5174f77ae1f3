package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mcp-relay/relay/scanner"
)

// applyEdits returns content as the relay would pass it on: what findings with
// Redact set locate is replaced by a marker made from their category.
func applyEdits(c scanner.Content, v scanner.Verdict) (scanner.Content, error) {
	var edits []scanner.Finding
	for _, f := range v.Findings {
		if f.Redact {
			edits = append(edits, f)
		}
	}
	// From the back, so that what is replaced does not move what is to be.
	slices.SortStableFunc(edits, func(a, b scanner.Finding) int { return b.Location.Start - a.Location.Start })
	if c.Kind == scanner.KindText {
		c.Data = []byte(replaceAll(string(c.Data), edits))
		return c, nil
	}
	if c.Kind != scanner.KindJSON {
		return c, errors.New("only JSON and text can be redacted")
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(c.Data))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return c, fmt.Errorf("decode the content: %w", err)
	}
	byPointer := map[string][]scanner.Finding{}
	for _, f := range edits {
		byPointer[f.Location.Pointer] = append(byPointer[f.Location.Pointer], f)
	}
	data, err := json.Marshal(edited(value, "", byPointer))
	if err != nil {
		return c, fmt.Errorf("encode the content: %w", err)
	}
	c.Data = data
	return c, nil
}

func edited(value any, pointer string, edits map[string][]scanner.Finding) any {
	switch v := value.(type) {
	case string:
		return replaceAll(v, edits[pointer])
	case []any:
		for i := range v {
			v[i] = edited(v[i], fmt.Sprintf("%s/%d", pointer, i), edits)
		}
	case map[string]any:
		escape := strings.NewReplacer("~", "~0", "/", "~1")
		for name := range v {
			v[name] = edited(v[name], pointer+"/"+escape.Replace(name), edits)
		}
	}
	return value
}

// replaceAll replaces ranges, the last first. Ranges that overlap become one.
func replaceAll(text string, edits []scanner.Finding) string {
	end := len(text)
	for _, f := range edits {
		marker := "[redacted:" + f.Category + "#1]"
		from, to := f.Location.Start, f.Location.End
		if from == 0 && to == 0 {
			return marker
		}
		if to = min(to, end); from >= to {
			continue
		}
		text, end = text[:from]+marker+text[to:], from
	}
	return text
}

// quote encodes a text as a JSON string.
func quote(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) //nolint:errchkjson // a string into a buffer
	return strings.TrimSuffix(b.String(), "\n")
}
