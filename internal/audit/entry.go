package audit

import (
	"bytes"

	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// Entry is a record as it is read back. Its strings are printable ASCII but may
// be of others' making.
type Entry struct {
	Time          time.Time      `json:"time"`
	Event         Event          `json:"event"`
	ScanID        string         `json:"scan_id,omitempty"`
	Call          string         `json:"call,omitempty"`
	Session       string         `json:"session,omitempty"`
	Principal     string         `json:"principal,omitempty"`
	Client        string         `json:"client,omitempty"`
	Server        string         `json:"server,omitempty"`
	Method        string         `json:"method,omitempty"`
	Target        string         `json:"target,omitempty"`
	Phase         string         `json:"phase,omitempty"`
	Scanner       string         `json:"scanner,omitempty"`
	ScannerSHA256 string         `json:"scanner_sha256,omitempty"`
	Mode          string         `json:"mode,omitempty"`
	Stage         int            `json:"stage,omitempty"`
	Action        string         `json:"action,omitempty"`
	Effective     string         `json:"effective,omitempty"`
	Outcome       string         `json:"outcome,omitempty"`
	Reason        string         `json:"reason,omitempty"`
	Cause         string         `json:"cause,omitempty"`
	Fallback      string         `json:"fallback,omitempty"`
	InsteadOf     string         `json:"instead_of,omitempty"`
	Findings      []EntryFinding `json:"findings,omitempty"`
	Uninspected   []EntryPart    `json:"uninspected,omitempty"`
	Reference     string         `json:"reference,omitempty"`
	Link          string         `json:"link,omitempty"`
	Overlapped    bool           `json:"overlapped,omitempty"`
	Cached        bool           `json:"cached,omitempty"`
	ScannerUS     int64          `json:"scanner_us,omitempty"`
	RelayUS       int64          `json:"relay_us,omitempty"`
	Count         uint64         `json:"count,omitempty"`
	Since         *time.Time     `json:"since,omitempty"`
	After         string         `json:"after,omitempty"`
	Version       string         `json:"version,omitempty"`
	PID           int            `json:"pid,omitempty"`
	Chain         string         `json:"chain,omitempty"`
	Seq           uint64         `json:"seq,omitempty"`

	FindingsOmitted    int `json:"findings_omitted,omitempty"`
	UninspectedOmitted int `json:"uninspected_omitted,omitempty"`
}

// EntryFinding is a finding as a record has it.
type EntryFinding struct {
	Rule     string `json:"rule"`
	Category string `json:"category,omitempty"`
	Severity string `json:"severity,omitempty"`
	Pointer  string `json:"pointer"`
	Start    int    `json:"start,omitempty"`
	End      int    `json:"end,omitempty"`
	Excepted bool   `json:"excepted,omitempty"`
}

// EntryPart is what was not inspected, as a record has it.
type EntryPart struct {
	Pointer string `json:"pointer"`
	Reason  string `json:"reason,omitempty"`
}

// Times is how many records e stands for.
func (e *Entry) Times() uint64 { return max(e.Count, 1) }

// Entry decodes the line.
func (l *Line) Entry() (Entry, error) {
	var e Entry
	if err := json.Unmarshal(l.Text, &e); err != nil {
		return Entry{}, fmt.Errorf("line %d is no record: %w", l.Number, err)
	}
	return e, nil
}

// Stamp returns a time as records have it; stamps are ordered as their times are.
func Stamp(t time.Time) string { return t.UTC().Format(timeFormat) }

// Stamp returns the time of the record, without decoding it; "" for a line that
// does not begin as records do.
func (l *Line) Stamp() string {
	text, ok := bytes.CutPrefix(l.Text, []byte(beginning))
	if end := bytes.IndexByte(text, '"'); ok && end > 0 {
		return string(text[:end])
	}
	return ""
}
