package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/mcp-relay/relay/internal/statefile"
)

// begin begins the chain of a file. What is no regular file has none: nobody can
// read it again.
func (l *Log) begin(state, version string) error {
	if !l.file.rotatable() {
		return nil
	}
	key, state, err := chainKey(state)
	if errors.Is(err, errNoState) {
		l.logger.Warn("the lines of the audit record are not chained, so that changes to them will not show", "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	l.chain = newChain(key)
	if l.header, err = openHeader(state, l.path, key); err != nil {
		return err
	}
	l.file.lock = l.header.lock
	after, torn := lastLine(l.path, newMAC(key))
	for range tornLooks {
		if !torn {
			break
		}
		// Another process may be writing it just now.
		time.Sleep(tornPause)
		after, torn = lastLine(l.path, newMAC(key))
	}
	l.torn = torn
	l.mu.Lock()
	defer l.mu.Unlock()
	opened := Record{Event: Opened, Reason: "start", version: version, pid: os.Getpid(), after: after}
	if err := l.add(&opened, time.Now()); err != nil {
		return fmt.Errorf("beginning the audit record: %w", err)
	}
	l.heading = true
	time.AfterFunc(0, l.noteHead)
	if err := l.flush(); err != nil {
		// Whether content may pass without a record is decided for each.
		l.notes = append(l.notes, opened)
		l.lost, l.unsaid = 0, 0
	}
	return nil
}

// errNoState says that there is no place for the key.
var errNoState = errors.New("there is no state directory for its key")

// chainKey returns the key of the installation and the state directory.
func chainKey(state string) (key []byte, dir string, err error) {
	if state == "" {
		if state, err = statefile.Home(); err != nil {
			return nil, "", errors.Join(errNoState, err)
		}
	}
	d, err := statefile.Create(state)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errReadOnly) {
		return nil, "", errors.Join(errNoState, err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("chaining the audit record: %w", err)
	}
	defer d.Close()
	key, err = ensureKey(d)
	if errors.Is(err, errReadOnly) {
		return nil, "", errors.Join(errNoState, err)
	}
	return key, state, err
}

// How often, and after which time, a last line without an end is looked at again.
const (
	tornLooks = 4
	tornPause = 5 * time.Millisecond
)

// tailBytes is how much of the end of a record is looked at for its last line.
const tailBytes = 64 << 10

// lastLine returns the chain and number of the last line of a record, if that is
// a genuine one, and whether it has no end.
func lastLine(path string, m *mac) (after string, torn bool) {
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return "", false
	}
	tail := make([]byte, min(info.Size(), tailBytes))
	n, err := f.ReadAt(tail, info.Size()-int64(len(tail)))
	if err != nil || n == 0 {
		return "", false
	}
	tail, whole := bytes.CutSuffix(tail, []byte{'\n'})
	if !whole {
		return "", true
	}
	line := tail[bytes.LastIndexByte(tail, '\n')+1:]
	last, ok := parseLink(line)
	if !ok || !m.fits(last.mac, last.body) {
		return "", false
	}
	return last.chain + ":" + strconv.FormatUint(last.seq, 10), false
}

// noteHeadLater has the head noted soon. l.mu is held.
func (l *Log) noteHeadLater() {
	if l.chain == nil || l.heading || l.closed {
		return
	}
	l.heading = true
	time.AfterFunc(headEvery, l.noteHead)
}

func (l *Log) noteHead() {
	l.mu.Lock()
	l.heading = false
	id, seq, last := l.chain.id, l.chain.seq, string(l.chain.prev[:])
	if len(l.buf) > 0 {
		// What waits is not in the record yet, and may never be.
		seq, last = l.before.seq, string(l.before.prev[:])
	}
	l.mu.Unlock()
	if err := l.header.note(id, seq, last); err != nil {
		l.logger.Warn("how far the audit record has come could not be noted", "error", err)
	}
}

// end writes the last line of the chain. l.mu is held.
func (l *Log) end() {
	if err := l.add(&Record{Event: Closed, Reason: "end"}, time.Now()); err != nil {
		_ = l.missed(0, err) // reported by missed
		return
	}
	if l.flush() != nil || l.failing {
		return // the note stays, as that of a relay that was killed
	}
	if err := l.header.end(l.chain.id); err != nil {
		l.logger.Warn("the note of how far the audit record has come stays", "error", err)
	}
}
