package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"
)

// A chained line ends with four members more than its record has:
//
//	,"chain":"k3v9x2ab","seq":7,"prev":"…","mac":"…"}
//
// mac is the HMAC-SHA256 of everything before ,"mac": under the installation's
// key, cut to 128 bits; prev is the mac of the line before in the same chain.
// So a line can be checked by itself, and what it follows too.
const (
	macBytes = 16
	macText  = 22 // in base64url without padding
	chainID  = 12 // characters
)

// origin stands for the mac before the first line of a chain.
var origin = strings.Repeat("A", macText)

// mac makes codes with one key. It is not safe for concurrent use.
type mac struct {
	hash hash.Hash
	sum  [sha256.Size]byte
}

func newMAC(key []byte) *mac { return &mac{hash: hmac.New(sha256.New, key)} }

// append appends the code of body.
func (m *mac) append(dst, body []byte) []byte {
	m.hash.Reset()
	_, _ = m.hash.Write(body) // a hash never fails
	return base64.RawURLEncoding.AppendEncode(dst, m.hash.Sum(m.sum[:0])[:macBytes])
}

// fits reports whether code is that of body, in constant time.
func (m *mac) fits(code string, body []byte) bool {
	var want [macText]byte
	return hmac.Equal(m.append(want[:0], body), []byte(code))
}

// chain is the state of one writer's chain. It is not safe for concurrent use.
type chain struct {
	mac *mac
	id  string
	seq uint64 // of the last line
	// prev is the mac of the last line.
	prev [macText]byte
}

func newChain(key []byte) *chain {
	c := &chain{mac: newMAC(key), id: strings.ToLower(rand.Text()[:chainID])}
	copy(c.prev[:], origin)
	return c
}

// seal ends a record's line, which begins at start, with the members that make
// it the next of the chain.
func (c *chain) seal(buf []byte, start int) []byte {
	c.seq++
	buf = append(buf[:len(buf)-len("}\n")], `,"chain":"`...)
	buf = append(buf, c.id...)
	buf = append(buf, `","seq":`...)
	buf = strconv.AppendUint(buf, c.seq, 10)
	buf = append(buf, `,"prev":"`...)
	buf = append(buf, c.prev[:]...)
	buf = append(buf, '"')
	code := c.mac.append(c.prev[:0], buf[start:])
	buf = append(buf, `,"mac":"`...)
	buf = append(buf, code...)
	return append(buf, '"', '}', '\n')
}

// link is what the end of a chained line says.
type link struct {
	chain string
	seq   uint64
	prev  string
	mac   string
	body  []byte // what mac is of
}

// parseLink reads the end of a line without its line feed. ok is false for a
// line that is not chained.
func parseLink(line []byte) (l link, ok bool) {
	const end = len(`,"mac":"`) + macText + len(`"}`)
	if len(line) < end {
		return link{}, false
	}
	l.body = line[:len(line)-end]
	tail, ok := bytes.CutPrefix(line[len(l.body):], []byte(`,"mac":"`))
	if !ok || string(tail[macText:]) != `"}` {
		return link{}, false
	}
	l.mac = string(tail[:macText])
	at := bytes.LastIndex(l.body, []byte(`,"chain":"`))
	if at < 0 {
		return link{}, false
	}
	rest := string(l.body[at+len(`,"chain":"`):])
	id, rest, ok := strings.Cut(rest, `","seq":`)
	if !ok || !validID(id) {
		return link{}, false
	}
	number, rest, ok := strings.Cut(rest, `,"prev":"`)
	if !ok || len(rest) != macText+1 || rest[macText] != '"' {
		return link{}, false
	}
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || seq == 0 {
		return link{}, false
	}
	l.chain, l.seq, l.prev = id, seq, rest[:macText]
	return l, true
}

// validID reports whether s may be the id of a chain, which is also the name of
// a file.
func validID(s string) bool {
	return len(s) == chainID && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
