package panscanner

import (
	"slices"
	"strings"

	"github.com/mcp-relay/relay/scanner"
)

// maxFindings is how many findings a verdict may hold.
const maxFindings = 1000

// decide turns an answer into a verdict on the piece. Only a complete "allow"
// lets content pass.
func (p *piece) decide(a answer) (scanner.Verdict, *scanner.Error) {
	var v scanner.Verdict
	switch {
	case a.action == actionBlock:
		redacted, ok := p.redaction(a)
		if v = redacted; !ok {
			v = scanner.Block(p.findings(a)...)
		}
	case a.incomplete:
		return v, incomplete(a)
	case a.suspicious():
		v = scanner.Flag(p.findings(a)...)
	default:
		v = scanner.Allow()
	}
	v.Reference = a.reportID
	return v, nil
}

// incomplete is the error for an "allow" that not every detector agreed to. It
// is held against the content: its author may have made a detector fail.
func incomplete(a answer) *scanner.Error {
	e := &scanner.Error{
		Reason: scanner.ReasonInternal, ContentCaused: true,
		Message: "a detector of Prisma AIRS failed, so that its allow is incomplete",
	}
	if a.timedOut {
		e.Reason, e.Message = scanner.ReasonTimeout, "a detector of Prisma AIRS ran out of time, so that its allow is incomplete"
	}
	return e
}

// suspicious reports whether the service let pass what it calls malicious,
// which it does under profiles that only alert.
func (a answer) suspicious() bool {
	if a.category != "" && a.category != categoryBenign || a.malicious {
		return true
	}
	return len(a.raised()) > 0
}

// raised lists every detector that fired anywhere, sorted.
func (a answer) raised() []string {
	all := a.raisedOutsideOutput()
	for _, e := range a.output {
		all = append(all, e.raised...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (a answer) raisedOutsideOutput() []string {
	all := slices.Concat(a.prompt, a.response, a.summary)
	for _, e := range a.input {
		all = append(all, e.raised...)
	}
	return all
}

// findings says what was detected and where.
func (p *piece) findings(a answer) []scanner.Finding {
	if p.tools != nil && !p.tools.part && !a.incomplete {
		if located, ok := p.toolFindings(a); ok {
			return located
		}
	}
	var out []scanner.Finding
	where := p.where()
	for _, name := range a.raised() {
		f := finding(name)
		f.Location = where
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	if len(out) == 0 || a.incomplete {
		f := verdictFinding("Prisma AIRS names no detector")
		if a.incomplete {
			f.Rule, f.Category, f.Message = "airs/incomplete", "airs.incomplete", "a detector of Prisma AIRS failed or ran out of time"
		}
		f.Location = where
		out = append(out, f)
	}
	return out
}

// verdictFinding is a finding without a detector.
func verdictFinding(message string) scanner.Finding {
	return scanner.Finding{Rule: "airs/verdict", Category: "airs.verdict", Severity: scanner.SeverityHigh, Message: message}
}

// toolFindings returns findings at the tools that the answer names, if they
// account for all of it.
func (p *piece) toolFindings(a answer) ([]scanner.Finding, bool) {
	found, ok := p.tools.locate(a)
	if !ok {
		return nil, false
	}
	var out []scanner.Finding
	for i := range p.tools.names {
		for _, name := range found[p.tools.first+i] {
			f := finding(name)
			f.Location.Pointer = toolPointer(p.tools.first + i)
			out = append(out, f)
		}
	}
	return out, len(out) <= maxFindings
}

const detectorDLP = "dlp"

// categories maps the service's detectors to the relay's categories.
var categories = map[string]string{
	"injection":       "injection",
	"url_cats":        "url.malicious",
	detectorDLP:       "sensitive_data",
	"db_security":     "db_security",
	"toxic_content":   "toxic_content",
	"malicious_code":  "malicious_code",
	"agent":           "agent_threat",
	"topic_violation": "topic_violation",
	"ungrounded":      "ungrounded",
	"source_code":     "source_code", // not in the published document
}

// finding describes one detector's hit. The name of one that is not known is
// foreign text, and not repeated.
func finding(detector string) scanner.Finding {
	category, ok := categories[detector]
	if !ok {
		detector, category = "other", "airs.other"
	}
	return scanner.Finding{
		Rule: "airs/" + detector, Category: category, Severity: scanner.SeverityHigh,
		Message: "Prisma AIRS detected " + strings.ReplaceAll(detector, "_", " "),
	}
}

// where locates the piece in the content, as closely as is known.
func (p *piece) where() scanner.Location {
	switch {
	case p.tools != nil && p.tools.part && p.tools.first >= 0:
		return scanner.Location{Pointer: toolPointer(p.tools.first)}
	case p.tools != nil, p.chunk == nil:
		return scanner.Location{Pointer: p.prefix}
	default:
		return p.chunkLocation()
	}
}

// chunkLocation is the part of a string that a chunk holds, or the nearest
// value that all of the chunk lies in.
func (p *piece) chunkLocation() scanner.Location {
	places := p.chunk.places
	first, last := places[0], places[len(places)-1]
	if first.token < 0 || last.token < 0 {
		return scanner.Location{Pointer: p.prefix}
	}
	at := pointers(p.src.doc, map[int]bool{first.token: true, last.token: true})
	pointer := clampPointer(p.prefix + commonAncestor(at[first.token], at[last.token]))
	if len(places) == 1 && first.value && pointer == p.prefix+at[first.token] {
		return scanner.Location{Pointer: pointer, Start: first.offset, End: first.offset + p.chunk.last}
	}
	return scanner.Location{Pointer: pointer}
}

func commonAncestor(a, b string) string {
	if a == b {
		return a
	}
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return strings.Join(x[:n], "/")
}
