package scanner

import "context"

// Scanner judges content. It is the only interface a scanner must satisfy.
//
// Scan is called concurrently, up to Info.MaxConcurrent times. It must return
// soon after ctx ends, must not change or keep c.Data and c.Request, and must
// not have an effect that calling it twice would double. An error means that
// there is no verdict: return an [Error] to say why. Any other error counts as
// caused by the content, which blocks it whatever the relay's policy for
// outages says.
type Scanner interface {
	Scan(ctx context.Context, c Content) (Verdict, error)
}

// Describer says what a scanner is and can do. Describe is called once, before
// everything else, and must need neither configuration nor network. A scanner
// without it is named after its program and judges everything.
type Describer interface {
	Describe() Info
}

// Configurer takes a scanner's configuration: one JSON object, {} when the user
// wrote none. Until Configure has succeeded once, scans are refused for the
// scanner.
//
// Configure may be called again at any time, concurrently with scans (but not
// with itself): check everything first, then swap, for example an
// atomic.Pointer. When it returns an error, what was in force stays in force.
// Return [Problems] to report everything that is wrong at once. A configuration
// may hold secrets: do not log it.
type Configurer interface {
	Configure(ctx context.Context, config []byte) error
}

// BatchScanner judges several contents in one call. ScanBatch returns one
// result per content, in the same order; one that fails does not fail the
// others. What is said at [Scanner] holds here too.
type BatchScanner interface {
	ScanBatch(ctx context.Context, cs []Content) []Result
}

// Result is the outcome for one content of a batch.
type Result struct {
	Verdict Verdict
	Err     error // when set, Verdict is ignored
}

// Drainer finishes a scanner's work, for example flushes reports. Drain is
// called at most once, when no scan is running and none will be started. The
// process ends after it, or when ctx does.
type Drainer interface {
	Drain(ctx context.Context) error
}

// Info says what a scanner is and can do. Every field may be left out.
type Info struct {
	// Name is the scanner's name for display, matching [a-z0-9][a-z0-9._-]{0,63}.
	// Default: the name of the program.
	Name string
	// Version is the scanner's version, at most 64 bytes. Default: the version of
	// the program's main module.
	Version string
	// ConfigSchema is a JSON Schema (2020-12) of the configuration. It tells
	// people what to write; Configure checks it. Mark secret members "writeOnly": true.
	// Only for a Configurer.
	ConfigSchema []byte
	// Phases and Kinds are what the scanner judges. Default: everything. Other
	// phases are never sent. Content of another kind is refused, not allowed. To
	// name KindBlob says that the scanner also looks into images, sound and binary
	// data that stand encoded in JSON, and names what it leaves out.
	Phases []Phase
	Kinds  []Kind
	// Deterministic is set when the same content under the same configuration
	// always gets the same verdict, so that the relay may keep it.
	Deterministic bool
	// MaxConcurrent limits the scans running at a time; more wait for their
	// turn. Default 0: no limit.
	MaxConcurrent int
	// NeedsNetwork is set when content leaves the machine to be judged.
	NeedsNetwork bool
	// SelfContained is set when the scanner needs neither network nor files beyond
	// its own program, its working directory and the libraries of the system. The
	// relay then confines it to those, where the system can do that, and users
	// need not take its author's word for it.
	SelfContained bool
	// UsesInventory is set when the scanner reads Content.Inventory. Others are
	// not told what other servers offer.
	UsesInventory bool
}
