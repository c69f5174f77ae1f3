package principal

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"
)

const (
	tokenBits   = 256
	tokenPrefix = "mcprelay_" // lets scanners for leaked secrets, and people, tell what it is
	maxToken    = 1024        // bytes; longer ones are not even hashed
)

// newToken returns a token that cannot be guessed, in letters that every
// header takes (RFC 6750, section 2.1).
func newToken() string {
	random := make([]byte, tokenBits/8)
	_, _ = rand.Read(random) // never fails: the program ends instead
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// hash is what is kept of a token. A plain SHA-256 is enough, where a password
// would need salt and a slow function: who reads the hash of 256 random bits
// cannot find the bits by trying. Given tokens may be weaker; their hashes
// never leave the memory, which holds the tokens themselves anyway.
type hash [sha256.Size]byte

func hashOf(token string) hash { return sha256.Sum256([]byte(token)) }

// entry is one token.
type entry struct {
	name    string
	hash    hash
	created time.Time
	given   bool
}

// match returns the name that belongs to a token. It takes the same time for
// every token of a length, known or not, so that nobody learns one byte by byte:
// all entries are compared, by their hashes.
func match(entries []entry, token string) (string, bool) {
	if token == "" || len(token) > maxToken {
		return "", false
	}
	sum, found := hashOf(token), -1
	for i := range entries {
		equal := subtle.ConstantTimeCompare(sum[:], entries[i].hash[:])
		found = subtle.ConstantTimeSelect(equal, i, found)
	}
	if found < 0 {
		return "", false
	}
	return entries[found].name, true
}
