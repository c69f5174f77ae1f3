package verdictcache

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// A file holds the code of the rest, a line feed, and the verdict as JSON. The
// code is an HMAC-SHA256 over the key of the verdict, which also makes the
// file's name, and the rest.

// paper is a verdict in a file.
type paper struct {
	Made    time.Time       `json:"made"`
	Verdict verdict.Verdict `json:"verdict"`
}

var errPaper = errors.New("the file is not a verdict on this")

// skew is how far in the future a file may have been made, by clocks that are
// set right.
const skew = time.Minute

func seal(secret []byte, key Sum, p *paper) ([]byte, error) {
	body, err := json.Marshal(p) //nolint:musttag // a verdict is kept as it is: builds of the relay do not share keys
	if err != nil {
		return nil, err //nolint:wrapcheck // numbers and strings can be encoded; the caller drops it
	}
	out := hex.AppendEncode(nil, code(secret, "verdict", key, body))
	out = append(out, '\n')
	return append(out, body...), nil
}

// unseal returns the verdict in a file on the content with this key, if it is
// genuine, not older than ttl, and fits the content.
func unseal(secret []byte, key Sum, text []byte, ttl time.Duration, c *verdict.Content) (*paper, error) {
	head, body, ok := bytes.Cut(text, []byte{'\n'})
	want := hex.AppendEncode(nil, code(secret, "verdict", key, body))
	if !ok || !hmac.Equal(head, want) {
		return nil, errPaper
	}
	var p paper
	//nolint:musttag // as above
	if json.Unmarshal(body, &p) != nil || verdict.Validate(p.Verdict, *c) != nil {
		return nil, errPaper
	}
	if age := time.Since(p.Made); age < -skew || age >= ttl {
		return nil, errPaper
	}
	return &p, nil
}

// name returns the name of the file for a key, which tells nothing about it.
func name(secret []byte, key Sum) string {
	return hex.EncodeToString(code(secret, "name", key, nil)[:20])
}

func code(secret []byte, what string, key Sum, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	_, _ = h.Write([]byte(what)) // a hash never fails
	_, _ = h.Write(key[:])
	_, _ = h.Write(body)
	return h.Sum(nil)
}
