package payload

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestSizeAndSeed(t *testing.T) {
	var scratch []byte
	for _, size := range []int{0, MinSize, 21, 200, 2048, 100_000} {
		raw := append(append([]byte{'"'}, Append(nil, size, 99)...), '"')
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		if want := max(size, MinSize); len(s) != want {
			t.Errorf("size %d: decoded length %d", size, len(s))
		}
		if !Match(raw, size, 99, &scratch) {
			t.Errorf("size %d: no match with itself", size)
		}
		if Match(raw, size, 98, &scratch) {
			t.Errorf("size %d: matches another seed", size)
		}
		if size > 100 {
			other := []byte(strings.Replace(string(raw), "router", "\\u0072outer", 1))
			if !Match(other, size, 99, &scratch) {
				t.Errorf("size %d: other escaping refused", size)
			}
			if Match(raw[:len(raw)-2], size, 99, &scratch) {
				t.Errorf("size %d: truncated text accepted", size)
			}
		}
	}
}
