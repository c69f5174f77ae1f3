package plugin

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

const (
	// grudge is how long a crash counts against a server.
	grudge = 10 * time.Minute
	// The points that crashes cost a server: one for being there, more when it is
	// shown that its content was the one. An acquittal takes the first back.
	pointsPresent = 1
	pointsGuilty  = 3
	// From pointsSolo on, a server's content is judged alone, in a process of its
	// own; from pointsBarred on, not at all.
	pointsSolo   = 3
	pointsBarred = 9
	// maxRecords bounds the contents that are remembered.
	maxRecords = 1024
)

// standing is what is known about one content.
type standing uint8

const (
	innocent  standing = iota
	suspected          // it was among several when the scanner crashed
	convicted          // it was alone
)

// key names a content without keeping it.
type key uint64

// ledger remembers which contents and which servers crashed the scanner.
type ledger struct {
	seed maphash.Seed
	size atomic.Int64 // of records; most of the time zero, which costs no lock

	mu       sync.RWMutex
	accounts map[string]*account
	records  map[key]record
	clock    uint64 // counts uses, for eviction
}

type record struct {
	standing standing
	used     uint64
}

// account is what belongs to one downstream server.
type account struct {
	breaker breaker
	main    share // of the supervisor's slots
	alone   share // of the cells
	solo    share // of those that are for servers judged alone

	mu     sync.Mutex
	marks  []mark
	marked atomic.Bool // there may be marks; spares the lock
}

type mark struct {
	at     time.Time
	points int
}

func newLedger() *ledger {
	return &ledger{seed: maphash.MakeSeed(), accounts: map[string]*account{}, records: map[key]record{}}
}

// account returns the account of a server, which is made at first use. Servers
// are named by the configuration, so there are few.
func (l *ledger) account(server string) *account {
	l.mu.RLock()
	a := l.accounts[server]
	l.mu.RUnlock()
	if a != nil {
		return a
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a = l.accounts[server]; a == nil {
		a = &account{}
		l.accounts[server] = a
	}
	return a
}

// key names a content by everything that may have crashed the scanner. The seed
// is secret, so that nobody can make a content that shares a key.
func (l *ledger) key(c *verdict.Content) key {
	var h maphash.Hash
	h.SetSeed(l.seed)
	var head [10]byte
	head[0], head[1] = byte(c.Phase), byte(c.Kind)
	binary.LittleEndian.PutUint64(head[2:], uint64(len(c.Data)))
	_, _ = h.Write(head[:])
	_, _ = h.WriteString(c.MIME)
	_, _ = h.Write(c.Data)
	_, _ = h.Write(c.Request)
	return key(h.Sum64())
}

// standing returns what is known about a content.
func (l *ledger) standing(c *verdict.Content) standing {
	if l.size.Load() == 0 {
		return innocent
	}
	k := l.key(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.records[k]
	if ok {
		l.clock++
		r.used = l.clock
		l.records[k] = r
	}
	return r.standing
}

// set changes what is known about a content; innocent forgets it.
func (l *ledger) set(k key, s standing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == innocent {
		delete(l.records, k)
	} else {
		l.clock++
		l.records[k] = record{standing: s, used: l.clock}
		if len(l.records) > maxRecords {
			l.evict()
		}
	}
	l.size.Store(int64(len(l.records)))
}

// evict forgets the content that was seen longest ago. It runs after a crash
// only, so looking at all of them is cheap enough.
func (l *ledger) evict() {
	var oldest key
	least := l.clock + 1
	for k, r := range l.records {
		if r.used < least {
			oldest, least = k, r.used
		}
	}
	delete(l.records, oldest)
}

// forget drops what is known about contents: the binary or the configuration is
// another now. Servers keep their marks.
func (l *ledger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = map[key]record{}
	l.size.Store(0)
}

// charge adds points to a server. Negative ones take back the latest charge.
func (a *account) charge(now time.Time, points int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.marks = append(a.marks, mark{at: now, points: points})
	a.marked.Store(true)
}

// points returns what counts against a server now.
func (a *account) points(now time.Time) int {
	if !a.marked.Load() {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	sum, kept := 0, a.marks[:0]
	for _, m := range a.marks {
		if now.Sub(m.at) < grudge {
			kept = append(kept, m)
			sum += m.points
		}
	}
	a.marks = kept
	a.marked.Store(len(kept) > 0)
	return max(0, sum)
}
