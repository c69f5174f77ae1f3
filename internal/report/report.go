package report

import "time"

// Report is what a record adds up to. Names in it are of others' making.
type Report struct {
	Since    time.Time `json:"since"`
	First    time.Time `json:"first"` // of the records that were counted
	Last     time.Time `json:"last"`
	Records  uint64    `json:"records"`
	Torn     int       `json:"torn"` // lines that could not be read
	Relay    Times     `json:"relay"`
	Scanners []Scanner `json:"scanners"`
	Servers  []Server  `json:"servers"`
	// Unscanned is what passed or was refused with no scanner asked, by reason.
	Unscanned []Count `json:"unscanned"`
	Anomalies []Count `json:"anomalies"` // by server and reason
	Drift     []Count `json:"drift"`     // definitions that changed, by server, outcome and reason
	Lost      uint64  `json:"lost"`      // records that could not be written, as the record itself says
}

// Scanner is what one scanner did, in one mode.
type Scanner struct {
	Name     string `json:"name"`
	Mode     string `json:"mode"`
	Messages uint64 `json:"messages"` // that it was asked about, failures included
	Cached   uint64 `json:"cached"`   // of these, those on which an earlier verdict counted
	NotAsked uint64 `json:"stopped"`  // of these, those that another had blocked before it answered

	// What its verdicts counted as; for one that observes, would have.
	Allow  uint64 `json:"allow"`
	Flag   uint64 `json:"flag"`
	Redact uint64 `json:"redact"`
	Block  uint64 `json:"block"`

	Failed   uint64  `json:"failed"`
	Failures []Count `json:"failures"` // by cause and reason
	Times    Times   `json:"times"`

	// Of what it did not simply allow.
	Rules   []Count `json:"rules"` // by action and rule; findings that did not count are left out
	Servers []Count `json:"servers"`
	Tools   []Count `json:"tools"` // by server and target

	Uninspected []Count `json:"uninspected"` // parts, by reason

	// Latest are the last that it did not simply allow, the newest first.
	Latest []Sighting `json:"latest"`
}

// Sighting is one message that a scanner did not simply allow.
type Sighting struct {
	Time   time.Time `json:"time"`
	ScanID string    `json:"scan_id"`
	Server string    `json:"server"`
	Target string    `json:"target,omitempty"`
	Action string    `json:"action"`
	// Reference and Link are the scanner's own: what it calls the scan, and
	// where it says that more is found.
	Reference string `json:"reference,omitempty"`
	Link      string `json:"link,omitempty"`
}

// maxLatest is how many of them there are.
const maxLatest = 10

// Share returns n as a part of the messages, in percent.
func (s *Scanner) Share(n uint64) float64 {
	if s.Messages == 0 {
		return 0
	}
	return 100 * float64(n) / float64(s.Messages)
}

// Server is what became of the messages of one server.
type Server struct {
	Name         string `json:"name"`
	Messages     uint64 `json:"messages"`
	Passed       uint64 `json:"passed"`
	PassedInPart uint64 `json:"passed_in_part"`
	Blocked      uint64 `json:"blocked"`
	HeldBack     uint64 `json:"held_back"`
	Unscanned    uint64 `json:"unscanned"`
	Withheld     uint64 `json:"withheld"` // times that something was not offered
}
