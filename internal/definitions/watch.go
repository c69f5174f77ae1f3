package definitions

import "time"

// lookEvery is how often a process that holds something looks whether somebody
// approved it.
const lookEvery = 2 * time.Second

// watch looks after the record as long as something of it is held. s.mu is held.
func (m *Memory) watch(s *server) {
	held := 0
	for _, n := range s.held {
		held += n
	}
	if held == 0 || m.store == nil || m.closed.Load() || s.look != nil {
		return
	}
	s.look = time.AfterFunc(lookEvery, func() { m.lookAt(s) })
}

// lookAt wakes those who asked about a server when somebody approved something.
func (m *Memory) lookAt(s *server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look = nil
	if m.closed.Load() {
		return
	}
	if info := m.store.stat(s.Name); info != nil && !sameFile(info, s.file) {
		// What cannot be read is reported when it is asked for.
		if rec, file, err := m.store.load(s.Name); err == nil && rec != nil && rec.Identity == s.Identity {
			clear(s.last)
			if s.rec, s.file = rec, file; rec.Approvals != s.approvals {
				s.approvals = rec.Approvals
				s.wake()
			}
		}
	}
	m.watch(s)
}
