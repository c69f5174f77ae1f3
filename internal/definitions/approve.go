package definitions

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Pending is a definition that is not what was approved.
type Pending struct {
	Server string
	Kind   Kind
	Name   string
	Held   bool  // clients did not get it when it was seen last
	Old    *Form // nil: there was none
	New    *Form
}

// Pending returns what is not approved of a server. It is empty for a server
// that is not known.
func (s *Store) Pending(server string) ([]Pending, error) {
	rec, _, err := s.load(server)
	if err != nil || rec == nil {
		return nil, err
	}
	var all []Pending
	for i := range rec.Items {
		if p, ok := rec.pending(&rec.Items[i]); ok {
			all = append(all, p)
		}
	}
	return all, nil
}

func (r *record) pending(e *item) (p Pending, ok bool) {
	if !e.Removed.IsZero() {
		return p, false
	}
	p = Pending{Server: r.Server, Kind: e.Kind, Name: e.Name, Held: e.Held != nil, Old: e.Approved, New: e.Flagged}
	if e.Held != nil {
		p.Old, p.New = e.base(), e.Held
	}
	if p.New == nil {
		return p, false
	}
	if was := r.item(e.Kind, p.New.Was); p.Old == nil && p.New.Was != "" && was != nil {
		p.Old = was.base()
	}
	return p, true
}

// ErrChanged says that something is not any more what was shown.
var ErrChanged = errors.New("it changed since it was shown: look at it again")

// Approve makes the forms that were shown the approved ones, all or none. A
// relay that runs offers them within seconds. It refuses with [ErrChanged] what
// has another form by now.
func (s *Store) Approve(ctx context.Context, shown []Pending) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	records := map[string]*record{}
	for i := range shown {
		p := &shown[i]
		rec := records[p.Server]
		if rec == nil {
			if rec, _, err = s.load(p.Server); err != nil {
				return err
			}
			if rec == nil {
				return ErrChanged
			}
			records[p.Server] = rec
		}
		e := rec.item(p.Kind, p.Name)
		if e == nil {
			return ErrChanged
		}
		if now, ok := rec.pending(e); !ok || now.New.Hash != p.New.Hash {
			return ErrChanged
		}
		approved := *p.New
		approved.Classes, approved.Running, approved.Was, approved.Since = 0, false, "", time.Now().UTC()
		rec.set(&e.Flagged, nil)
		rec.set(&e.Held, nil)
		rec.set(&e.Approved, &approved)
	}
	for _, rec := range records {
		rec.Approvals++
		if _, err := s.save(rec); err != nil {
			return fmt.Errorf("approving: %w", err)
		}
	}
	return nil
}
