package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

// headsDir is the directory, in the relay's state directory, that has a file for
// every chain that was begun and not ended.
const headsDir = "audit-heads"

// headEvery is how often a head is noted, at most.
const headEvery = time.Second

// maxHead bounds the file of a head, in bytes.
const maxHead = 8 << 10

// A head notes how far a chain had come, in a place other than the record, so
// that a record whose end was cut off shows. It exists from before the first
// line of a chain until after the last; that of a relay that was killed stays.
type head struct {
	Head string    `json:"head"` // id of the chain
	Path string    `json:"path"` // of the record
	Seq  uint64    `json:"seq"`
	Last string    `json:"last"` // mac of the line
	Time time.Time `json:"time"`
}

// header notes the head of one chain.
type header struct {
	dir  *statefile.Dir
	mac  *mac
	path string

	mu    sync.Mutex // one note at a time, in order
	ended bool
}

// lockWait bounds the wait for another process that rotates the record.
const lockWait = time.Second

// lock makes rotations one after the other.
func (h *header) lock() (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	return h.dir.Lock(ctx, "rotate.lock") //nolint:wrapcheck // it says what was attempted
}

func openHeader(state, path string, key []byte) (*header, error) {
	dir, err := statefile.Create(filepath.Join(state, headsDir))
	if err != nil {
		return nil, fmt.Errorf("noting the heads of the audit record: %w", err)
	}
	return &header{dir: dir, mac: newMAC(key), path: path}, nil
}

// note writes how far the chain has come.
func (h *header) note(id string, seq uint64, last string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil
	}
	text, err := json.Marshal(head{Head: id, Path: h.path, Seq: seq, Last: last, Time: time.Now().UTC()})
	if err != nil {
		return fmt.Errorf("noting the head of the audit record: %w", err)
	}
	body := text[:len(text)-1]
	code := h.mac.append(nil, body)
	text = append(append(append(body, `,"mac":"`...), code...), "\"}\n"...)
	if err := h.dir.Write(id, text); err != nil {
		return fmt.Errorf("noting the head of the audit record: %w", err)
	}
	return nil
}

// end removes the note: the chain has an end of its own.
func (h *header) end(id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil
	}
	h.ended = true
	err := h.dir.Remove(id)
	h.dir.Close()
	if err != nil {
		return fmt.Errorf("removing the head of the audit record: %w", err)
	}
	return nil
}

// forget removes the notes of chains of this record that had come to nothing
// before a time: what they speak of is no longer kept.
func (h *header) forget(before time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	heads, err := readHeads(h.dir, h.mac)
	if err != nil {
		return // they stay for the next time
	}
	for id, one := range heads {
		if one.Path == h.path && one.Time.Before(before) {
			_ = h.dir.Remove(id) // as above
		}
	}
}

// readHeads returns the notes that are genuine, by chain.
func readHeads(dir *statefile.Dir, m *mac) (map[string]head, error) {
	names, err := dir.Names()
	if err != nil {
		return nil, fmt.Errorf("reading the heads of the audit record: %w", err)
	}
	heads := map[string]head{}
	for _, name := range names {
		if !validID(name) {
			continue
		}
		text, _, err := dir.Read(name, maxHead)
		if err != nil {
			continue // it was removed meanwhile, or is none of ours
		}
		if one, ok := parseHead(text, m); ok && one.Head == name {
			heads[name] = one
		}
	}
	return heads, nil
}

func parseHead(text []byte, m *mac) (head, bool) {
	line := bytes.TrimSuffix(text, []byte{'\n'})
	const end = len(`,"mac":"`) + macText + len(`"}`)
	if len(line) < end || !strings.HasPrefix(string(line), `{"head":"`) {
		return head{}, false
	}
	body := line[:len(line)-end]
	code := string(line[len(line)-macText-2 : len(line)-2])
	var one head
	if !m.fits(code, body) || json.Unmarshal(line, &one) != nil {
		return head{}, false
	}
	return one, true
}

// headsOf opens the notes of a state directory; none is no error.
func headsOf(state string, m *mac) (map[string]head, error) {
	dir, err := statefile.Open(filepath.Join(state, headsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]head{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the heads of the audit record: %w", err)
	}
	defer dir.Close()
	return readHeads(dir, m)
}
