package definitions

import (
	"crypto/sha256"

	"github.com/mcp-relay/relay/internal/registry"
)

type digest [sha256.Size]byte

// answer is what came of the last list of a kind. Where each session has servers
// of its own, many cores ask about the same list.
type answer struct {
	mark    digest // of the list
	policy  *Policy
	held    map[int]string // why, by place in the list
	flagged map[int]bool   // offered, though nobody approved them
}

// marked returns a digest of all that an answer depends on but the record.
func marked(items []registry.Item, sent [][]byte) digest {
	h := sha256.New()
	for i := range items {
		h.Write([]byte{0, byte(items[i].State)}) // no raw JSON holds a NUL
		if i < len(sent) {
			h.Write(sent[i])
		} else {
			h.Write(items[i].Raw)
		}
	}
	return digest(h.Sum(nil))
}

// again returns the last answer about a kind when the same is asked again and
// nobody has changed the record since.
func (m *Memory) again(s *server, kind Kind, mark digest) (last answer, same bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.last[kind]
	if !ok || last.mark != mark || last.policy != m.policy.Load() || m.store != nil && !sameFile(s.file, m.store.stat(s.Name)) {
		return answer{}, false
	}
	return last, true
}
