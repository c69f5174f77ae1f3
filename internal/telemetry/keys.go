package telemetry

// Keys lists the keys of log attributes, so that logs can be searched: one
// thing has one key everywhere. A test holds every log call of the relay to
// this list.
var Keys = []string{
	// Who and where, as in audit records.
	"from", "kind", "phase", "scan_id", "scanner", "server", "session", "target",
	// What happened and why.
	"cause", "detail", "error", "failure", "fallback", "hint", "on_error", "passed", "reason", "status",
	// How much and how long.
	"lost", "pause", "skipped",
	// Processes and files.
	"address", "fields", "path", "pid", "text",
}
