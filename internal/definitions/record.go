package definitions

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// Bounds of a record.
const (
	maxItems = 20_000    // of each kind
	maxText  = 128 << 10 // bytes of one form
	maxTexts = 16 << 20  // bytes of all forms
	maxName  = 4096      // bytes of a name
	maxNames = 8 << 20   // bytes of all names
	// maxRecord is in bytes of a stored record. What the other bounds allow fits,
	// however much of it has to be escaped: a server must not be able to make its
	// record one that cannot be read.
	maxRecord = 256 << 20
)

const recordVersion = 1

var (
	errRecord  = errors.New("it is not a record of definitions")
	errTooLong = errors.New("there is too much of it")
	errNewer   = errors.New("a newer relay wrote it: use that one, or remove the file")
)

// record is what is remembered of one server.
type record struct {
	Version  int       `json:"version"`
	Server   string    `json:"server"`
	Config   string    `json:"config"`   // path of the configuration
	Identity string    `json:"identity"` // hash of what is started or called
	Since    time.Time `json:"since"`
	// Approvals counts what people approved. Relays that run look for changes
	// of it.
	Approvals int    `json:"approvals"`
	Listed    []Kind `json:"listed"` // kinds that were seen, if only to be empty
	Items     []item `json:"items"`

	index  map[itemKey]int // of Items
	counts map[Kind]int    // of Items
	full   map[Kind]bool   // nothing can be forgotten
	texts  int             // bytes of all forms
	names  int             // bytes of all names
}

type itemKey struct {
	kind Kind
	name string
}

// item is one definition.
type item struct {
	Kind     Kind   `json:"kind"`
	Name     string `json:"name,omitzero"` // as the server knows it
	Approved *Form  `json:"approved,omitzero"`
	// Flagged is the form that was offered last, unless it is the approved one.
	Flagged *Form `json:"flagged,omitzero"`
	// Held is the form that the server offers now and clients do not get.
	Held    *Form     `json:"held,omitzero"`
	Removed time.Time `json:"removed,omitzero"`
}

// Form is one form of a definition.
type Form struct {
	Hash string `json:"hash"`
	// Text is the canonical form; empty when it was too long to keep.
	Text    string    `json:"text,omitzero"`
	Since   time.Time `json:"since"`
	Classes Classes   `json:"classes,omitzero"` // of the change from the form before
	ScanID  string    `json:"scan_id,omitzero"` // of the verdict that let it pass
	// Running says that this form took the place of another one while a relay
	// ran.
	Running bool   `json:"running,omitzero"`
	Was     string `json:"was,omitzero"` // the name before, of what was renamed
}

// base returns the form that others are compared with; nil: there is none.
func (e *item) base() *Form {
	if e.Approved != nil {
		return e.Approved
	}
	return e.Flagged
}

// newRecord returns a record of a server that was never seen.
func newRecord(s *server, now time.Time) *record {
	r := &record{Version: recordVersion, Server: s.Name, Config: s.config, Identity: s.Identity, Since: now}
	r.reindex()
	return r
}

// item returns a definition, or nil.
func (r *record) item(kind Kind, name string) *item {
	i, ok := r.index[itemKey{kind, name}]
	if !ok {
		return nil
	}
	return &r.Items[i]
}

// ensure returns a definition and makes it when there is none; nil: there is no
// room for it.
func (r *record) ensure(kind Kind, name string) *item {
	if e := r.item(kind, name); e != nil {
		return e
	}
	if len(name) > maxName || !r.room(kind, len(name)) {
		return nil
	}
	r.names += len(name)
	r.index[itemKey{kind, name}] = len(r.Items)
	r.counts[kind]++
	r.Items = append(r.Items, item{Kind: kind, Name: name})
	return &r.Items[len(r.Items)-1]
}

// room makes room for one more definition of a kind, with so many bytes of name:
// some of those that are gone for the longest time are forgotten.
func (r *record) room(kind Kind, name int) bool {
	if r.fits(kind, name) {
		return true
	}
	if r.full[kind] {
		return false
	}
	var gone []time.Time
	for i := range r.Items {
		if e := &r.Items[i]; e.Kind == kind && !e.Removed.IsZero() {
			gone = append(gone, e.Removed)
		}
	}
	if len(gone) == 0 {
		r.full[kind] = true // until the next list
		return false
	}
	slices.SortFunc(gone, time.Time.Compare)
	last := gone[min(len(gone), maxItems/forgotten)-1]
	r.forget(func(e *item) bool { return e.Kind == kind && !e.Removed.IsZero() && !e.Removed.After(last) })
	return r.fits(kind, name)
}

func (r *record) fits(kind Kind, name int) bool {
	return r.counts[kind] < maxItems && r.names+name <= maxNames
}

// forgotten is which part of what may be remembered is forgotten at once.
const forgotten = 16

// forget removes items.
func (r *record) forget(these func(*item) bool) {
	r.Items = slices.DeleteFunc(r.Items, func(e item) bool { return these(&e) })
	r.reindex()
}

func (r *record) reindex() {
	r.index = make(map[itemKey]int, len(r.Items))
	r.counts, r.full, r.texts, r.names = map[Kind]int{}, map[Kind]bool{}, 0, 0
	for i := range r.Items {
		e := &r.Items[i]
		r.index[itemKey{e.Kind, e.Name}] = i
		r.counts[e.Kind]++
		r.names += len(e.Name)
		for _, f := range e.forms() {
			r.texts += len(f.Text)
		}
	}
}

// forms returns the forms that are known of a definition.
func (e *item) forms() []*Form {
	return slices.DeleteFunc([]*Form{e.Approved, e.Flagged, e.Held}, func(f *Form) bool { return f == nil })
}

// set puts a form, or none, in a place of an item.
func (r *record) set(place **Form, f *Form) {
	if *place != nil {
		r.texts -= len((*place).Text)
	}
	if f != nil {
		if len(f.Text) > maxText || r.texts+len(f.Text) > maxTexts {
			short := *f
			short.Text = ""
			f = &short
		}
		r.texts += len(f.Text)
	}
	*place = f
}

func (r *record) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding what is remembered of a server: %w", err)
	}
	if len(data) > maxRecord {
		return nil, errTooLong // what is stored stays
	}
	return data, nil
}

// decodeRecord reads a stored record. It is refused as a whole when anything in
// it is not as the relay writes it.
func decodeRecord(data []byte) (*record, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, errRecord
	}
	if head.Version > recordVersion {
		return nil, errNewer
	}
	r := &record{}
	if err := json.Unmarshal(data, r, json.RejectUnknownMembers(true)); err != nil || r.Version != recordVersion {
		return nil, errRecord
	}
	for _, kind := range r.Listed {
		if !kind.valid() {
			return nil, errRecord
		}
	}
	r.reindex()
	if len(r.index) != len(r.Items) {
		return nil, errRecord
	}
	for i := range r.Items {
		e := &r.Items[i]
		if !e.Kind.valid() || len(e.Name) > maxName || e.base() == nil && e.Held == nil {
			return nil, errRecord
		}
		for _, f := range e.forms() {
			if f.Hash == "" || f.Text != "" && hashOf(f.Text) != f.Hash {
				return nil, errRecord
			}
		}
	}
	return r, nil
}
