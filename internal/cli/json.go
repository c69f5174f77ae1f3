package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
)

// printJSON prints one value over several lines, in ASCII: what others wrote may
// be in it, and a terminal may be at the other end.
func printJSON(out io.Writer, v any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	if err == nil {
		_, err = out.Write(inASCII(text.Bytes()))
	}
	if err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// inASCII escapes what is not ASCII, and DEL, in JSON.
func inASCII(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r)) //nolint:gosec // it is ASCII
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}
