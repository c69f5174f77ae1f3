package audit

import (
	"time"

	"github.com/mcp-relay/relay/internal/verdict"
)

// Event says what kind of thing a record tells.
type Event string

// The events.
const (
	// Verdict is a scanner's verdict, or its failure to give one.
	Verdict Event = "verdict"
	// Decision is what the gate made of all verdicts on one message.
	Decision Event = "decision"
	// Anomaly is a message that was not forwarded because the protocol does
	// not allow it there. Reason holds one of the words of package peer.
	Anomaly Event = "anomaly"
	// Withheld is a tool, prompt or resource that is not offered.
	Withheld Event = "withheld"
	// Drift is a definition that is not what it was. Reason holds the classes of
	// the change, separated by commas; Outcome says what became of it: held,
	// flagged, or removed.
	Drift Event = "drift"
	// Config is a change of the configuration file while the relay runs, or, with
	// no Target, a file that cannot be used. Target is the path of the key, Reason
	// what the change does, and Outcome what became of it: applied, accepted or
	// held.
	Config Event = "config"
)

// The events of the record itself. Only [Log] writes them.
const (
	// Opened begins a chain; Reason is "start".
	Opened Event = "open"
	// Closed ends a chain; Reason is "end".
	Closed Event = "close"
	// Continued is the first record of a chain in another file. Reason says
	// why: "rotated", and then Target is the file's new name, or "followed",
	// when somebody else had moved it; Since is when the record before was
	// written.
	Continued Event = "continue"
	// Pruned names in Target an old file that was removed; Reason is
	// "max_backups".
	Pruned Event = "prune"
	// Lost says with Count how many records could not be written before this
	// one.
	Lost Event = "lost"
)

// Record is one line of the audit log. Zero fields are left out. No field may
// hold content; fields that hold strings of others are made safe when they are
// written, not before.
type Record struct {
	Time   time.Time // zero: the moment of writing
	Event  Event
	ScanID string // what the client was told, to find the reason
	Call   string // the relay's id of the exchange

	Session   string
	Principal string
	Client    string // what the client calls itself; not an identity
	Server    string // name in the configuration
	Method    string
	Target    string // tool or prompt name, or URI
	Phase     verdict.Phase

	Scanner       string // name in the configuration, never what the scanner says
	ScannerSHA256 string
	Mode          string // enforce or observe
	Stage         int    // in which the scanner judged; the first is 0

	Action verdict.Action // what the scanner asked for; unspecified when there is no verdict
	// Effective is what that counted as, where a threshold, exceptions or the
	// policy for requests made something else of it; else unspecified.
	Effective verdict.Action
	// Outcome is what became of the message when all scanners had spoken:
	// passed, passed_in_part, blocked or held_back. Empty for an observer.
	Outcome string
	Reason  string        // why there is no verdict; a stable word
	Cause   verdict.Cause // whose fault that is; unspecified when there is a verdict

	Fallback  string // in the record of a failure: the scanner that judged instead
	InsteadOf string // in a verdict: the scanner in whose place it was given

	Findings    []verdict.Finding // Message and Edit are not written
	Excepted    []int             // indexes of findings that did not count, in ascending order
	Uninspected []verdict.Uninspected
	Reference   string // the scanner's own id of the scan
	// Link is where the scanner says that a person finds more.
	Link string

	// Overlapped says that the content was sent while it was judged, because the
	// configuration lets this server's reading calls overlap with their scans.
	Overlapped bool

	// Cached says that the verdict is an earlier one on the same content.
	Cached bool

	ScannerTime time.Duration // in the scanner, as it says; written in microseconds
	RelayTime   time.Duration // everything else; written in microseconds

	// Count is above 1 where one record stands for so many like it since Since.
	Count uint64
	Since time.Time // also in Continued

	// Only in Opened.
	version string
	pid     int
	after   string // the last record of another chain that the file had
}
