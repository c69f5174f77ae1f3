package panscanner

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

// answer is what the scan API said, read so that oddities can only make it
// stricter: anything but false, null or nothing counts as a raised flag.
type answer struct {
	action    string
	category  string
	reportID  string
	scanID    string
	sessionID string
	profile   string // the name and id of the profile that was applied
	profileID string

	transactionID string
	incomplete    bool // a detector failed or ran out of time
	timedOut      bool // ... and it was the time
	prompt        []string
	response      []string
	summary       []string
	malicious     bool // the verdict on the tool event
	input         []entry
	output        []entry
}

// entry is the detection on one tool or on one side of a call.
type entry struct {
	tool   string
	raised []string // sorted names of detectors
	masked *string
}

// The answer's JSON. Members are looked up by exact name, and duplicate names
// are refused by the decoder.
type wireAnswer struct {
	Action   jsontext.Value            `json:"action"`
	Category string                    `json:"category"`
	ReportID string                    `json:"report_id"`
	ScanID   jsontext.Value            `json:"scan_id"`
	Session  jsontext.Value            `json:"session_id"`
	Turn     jsontext.Value            `json:"transaction_id"`
	Profile  jsontext.Value            `json:"profile_name"`
	ID       jsontext.Value            `json:"profile_id"`
	Timeout  jsontext.Value            `json:"timeout"`
	Error    jsontext.Value            `json:"error"`
	Errors   jsontext.Value            `json:"errors"`
	Prompt   map[string]jsontext.Value `json:"prompt_detected"`
	Response map[string]jsontext.Value `json:"response_detected"`
	Tool     struct {
		Verdict string `json:"verdict"`
		Summary struct {
			Detections map[string]jsontext.Value `json:"detections"`
		} `json:"summary"`
		Input  wireSide `json:"input_detected"`
		Output wireSide `json:"output_detected"`
	} `json:"tool_detected"`
}

type wireSide struct {
	Entries []struct {
		Tool       string                    `json:"tool_invoked"`
		Detections map[string]jsontext.Value `json:"detections"`
		Masked     *struct {
			Data *string `json:"data"`
		} `json:"masked_data"`
	} `json:"detection_entries"`
}

// parseAnswer reads the body of a 200. A body that is no JSON object comes from
// something between us and the service; an object that makes no sense is held
// against the content, so that no outage policy lets it pass.
func parseAnswer(raw []byte) (answer, *scanner.Error) {
	var w wireAnswer
	if err := json.Unmarshal(raw, &w); err != nil {
		if notJSON(err) {
			return answer{}, &scanner.Error{
				Reason:  scanner.ReasonUnavailable,
				Message: "the answer is not JSON, or is cut off: perhaps a proxy made it",
			}
		}
		return answer{}, incomprehensible("the answer does not have the shape of a scan result")
	}
	a := answer{
		category: w.Category, reportID: printable(w.ReportID), scanID: label(w.ScanID),
		sessionID: label(w.Session), transactionID: label(w.Turn),
		profile: label(w.Profile), profileID: label(w.ID),
		timedOut:   raised(w.Timeout),
		incomplete: raised(w.Timeout) || raised(w.Error) || listed(w.Errors),
		prompt:     names(w.Prompt), response: names(w.Response), summary: names(w.Tool.Summary.Detections),
		malicious: w.Tool.Verdict != "" && w.Tool.Verdict != categoryBenign,
		input:     w.Tool.Input.entries(), output: w.Tool.Output.entries(),
	}
	if a.category == categoryTimeout || a.category == categoryError {
		a.incomplete = true
		a.timedOut = a.timedOut || a.category == categoryTimeout
	}
	if w.Action.Kind() != '"' || json.Unmarshal(w.Action, &a.action) != nil {
		return answer{}, incomprehensible("the answer has no action")
	}
	if a.action != actionAllow && a.action != actionBlock {
		return answer{}, incomprehensible("the answer has an action that is neither allow nor block")
	}
	return a, nil
}

// notJSON reports whether err is about the text and not about what it says. Two
// members of one name are not: a reader could pick either.
func notJSON(err error) bool {
	var syntax *jsontext.SyntacticError
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return false
	}
	return errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

const (
	actionAllow     = "allow"
	actionBlock     = "block"
	categoryBenign  = "benign"
	categoryError   = "error"
	categoryTimeout = "timeout"
)

// incomprehensible is a failure that is held against the content.
func incomprehensible(message string) *scanner.Error {
	return &scanner.Error{Reason: scanner.ReasonInternal, ContentCaused: true, Message: message}
}

func raised(v jsontext.Value) bool {
	kind := v.Kind()
	return len(v) > 0 && kind != 'n' && kind != 'f'
}

func listed(v jsontext.Value) bool {
	var list []jsontext.Value
	if raised(v) && json.Unmarshal(v, &list) == nil {
		return slices.ContainsFunc(list, raised)
	}
	return raised(v)
}

func names(flags map[string]jsontext.Value) []string {
	var out []string
	for name, v := range flags {
		if raised(v) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (w wireSide) entries() []entry {
	out := make([]entry, 0, len(w.Entries))
	for _, e := range w.Entries {
		parsed := entry{tool: e.Tool, raised: names(e.Detections)}
		if e.Masked != nil {
			parsed.masked = e.Masked.Data
		}
		out = append(out, parsed)
	}
	return out
}

// label reads what nothing depends on, in whatever form it comes.
func label(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return printable(s)
}

// printable returns id if it is short printable ASCII, else nothing.
func printable(id string) string {
	const longest = 100
	foreign := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(id) > longest || strings.ContainsFunc(id, foreign) {
		return ""
	}
	return id
}
