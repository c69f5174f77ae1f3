// Package payload makes text that both ends can compute, so that a result is
// checked byte for byte and a response that belongs to another call is caught.
package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

// MinSize is the length of the header that carries the seed.
const MinSize = 20

// The filler looks like common tool output: prose lines and JSON inside text.
// It is ASCII without '<', '>' and '&', so that every common JSON encoder
// escapes it alike and the fast comparison below hits for all relays.
const filler = `The router matched 3 handlers; see the list below for details.
{"path": "src/handlers/router.go", "line": 42, "text": "return next(ctx, req)"}
Total time 0.184 s, 12 files read, 0 errors. Next page: cursor 00042.
`

var (
	mu    sync.Mutex
	cache = map[int][]byte{} // by size, the escaped filler for that size
)

func body(n int) []byte {
	mu.Lock()
	defer mu.Unlock()
	if b, ok := cache[n]; ok {
		return b
	}
	text := bytes.Repeat([]byte(filler), n/len(filler)+1)[:n]
	enc, err := json.Marshal(string(text))
	if err != nil {
		panic(err)
	}
	enc = enc[1 : len(enc)-1]
	cache[n] = enc
	return enc
}

// Append appends the JSON-escaped text (without quotes) whose decoded length is
// size bytes, or MinSize when size is smaller. Different seeds differ.
func Append(dst []byte, size int, seed uint64) []byte {
	size = max(size, MinSize)
	dst = fmt.Appendf(dst, "seed %014x ", seed&(1<<56-1))
	return append(dst, body(size-MinSize)...)
}

// Match reports whether b begins with a JSON string, with quotes, that is the
// text of size and seed. It accepts any equivalent escaping.
func Match(b []byte, size int, seed uint64, scratch *[]byte) bool {
	want := append((*scratch)[:0], '"')
	want = append(Append(want, size, seed), '"')
	*scratch = want
	if bytes.HasPrefix(b, want) {
		return true
	}
	end := jscan.Skip(b, 0)
	if end < 0 {
		return false
	}
	var got, exp string
	return json.Unmarshal(b[:end], &got) == nil && json.Unmarshal(want, &exp) == nil && got == exp
}
