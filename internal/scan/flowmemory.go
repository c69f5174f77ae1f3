package scan

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// Bounds of the memory of secrets. What is over them goes, the oldest first.
const (
	maxFingerprints    = 256 // of one principal
	maxFlowPrincipals  = 64
	fingerprintsExpire = time.Hour // after a server gave the secret out last
)

// fingerprint stands for a secret. It is keyed, so that nobody who reads it can
// try secrets on it.
type fingerprint [16]byte

// flowMemory knows which servers gave which secrets to whom, by fingerprints. It
// is safe for concurrent use.
type flowMemory struct {
	key [32]byte // of this process

	mu sync.Mutex
	// What was given to nobody in particular, as definitions, stands under the
	// empty principal and holds for all.
	principals map[string]*sightings
}

// sightings are what was given to one principal.
type sightings struct {
	used time.Time
	seen map[fingerprint]*sighting
}

// sighting says which servers gave a secret out, the first one first.
type sighting struct {
	last    time.Time
	servers []string
}

func newFlowMemory() *flowMemory {
	m := &flowMemory{principals: map[string]*sightings{}}
	_, _ = rand.Read(m.key[:]) // never fails
	return m
}

func (m *flowMemory) fingerprint(text []byte) (f fingerprint) {
	mac := hmac.New(sha256.New, m.key[:])
	_, _ = mac.Write(text) // never fails
	copy(f[:], mac.Sum(nil))
	return f
}

// remember notes that a server gave a secret to a principal.
func (m *flowMemory) remember(principal, server string, text []byte) {
	mark, now := m.fingerprint(text), time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.principals[principal]
	if of == nil {
		if len(m.principals) >= maxFlowPrincipals {
			m.forgetPrincipal()
		}
		of = &sightings{seen: map[fingerprint]*sighting{}}
		m.principals[principal] = of
	}
	of.used = now
	known := of.current(mark, now)
	if known == nil {
		if len(of.seen) >= maxFingerprints {
			of.forget(now)
		}
		known = &sighting{}
		of.seen[mark] = known
	}
	known.last = now
	if !slices.Contains(known.servers, server) {
		known.servers = append(known.servers, server)
	}
}

// elsewhere returns a server, other than the one that a principal's secret goes
// to, that gave it out. ok is false when there is none, or this one gave it out
// as well.
func (m *flowMemory) elsewhere(principal, server string, text []byte) (from string, ok bool) {
	mark, now := m.fingerprint(text), time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, whose := range [...]string{principal, ""} {
		known := m.principals[whose].current(mark, now)
		if known == nil {
			continue
		}
		if slices.Contains(known.servers, server) {
			return "", false
		}
		from, ok = known.servers[0], true
	}
	return from, ok
}

// foreign reports whether another server gave a principal a secret that this one
// did not.
func (m *flowMemory) foreign(principal, server string) bool {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, whose := range [...]string{principal, ""} {
		of := m.principals[whose]
		if of == nil {
			continue
		}
		for _, known := range of.seen {
			if now.Sub(known.last) < fingerprintsExpire && !slices.Contains(known.servers, server) {
				return true
			}
		}
	}
	return false
}

// current returns what is known of a secret; nil: nothing, or it is too old.
func (s *sightings) current(mark fingerprint, now time.Time) *sighting {
	if s == nil {
		return nil
	}
	known := s.seen[mark]
	if known != nil && now.Sub(known.last) >= fingerprintsExpire {
		delete(s.seen, mark)
		return nil
	}
	return known
}

// forget makes room: what is too old goes, else the oldest of the server that
// takes most of the room, so that no server can wash away what others gave out.
func (s *sightings) forget(now time.Time) {
	count := map[string]int{}
	for mark, known := range s.seen {
		if now.Sub(known.last) >= fingerprintsExpire {
			delete(s.seen, mark)
			continue
		}
		count[known.servers[0]]++
	}
	if len(s.seen) < maxFingerprints {
		return
	}
	var oldest fingerprint
	var victim *sighting
	for mark, known := range s.seen {
		if victim == nil || count[known.servers[0]] > count[victim.servers[0]] ||
			count[known.servers[0]] == count[victim.servers[0]] && known.last.Before(victim.last) {
			oldest, victim = mark, known
		}
	}
	delete(s.seen, oldest)
}

// forgetPrincipal makes room for another principal.
func (m *flowMemory) forgetPrincipal() {
	var oldest string
	var victim *sightings
	for name, s := range m.principals {
		if victim == nil || s.used.Before(victim.used) {
			oldest, victim = name, s
		}
	}
	delete(m.principals, oldest)
}
