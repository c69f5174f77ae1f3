package plugin

import (
	"errors"
	"math"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mcp-relay/relay/internal/verdict"
	"github.com/mcp-relay/relay/scanner/handshake"

	scannerv1 "github.com/mcp-relay/relay/proto/mcprelay/scanner/v1"
)

// maxMIME bounds a media type on the wire.
const maxMIME = 256

// exchange holds the messages of one scan, so that they are made once.
type exchange struct {
	request  scannerv1.ScanRequest
	content  scannerv1.Content
	origin   scannerv1.Origin
	response scannerv1.ScanResponse
}

var exchanges = sync.Pool{New: func() any {
	x := &exchange{}
	x.request.Content = &x.content
	x.content.Origin = &x.origin
	return x
}}

// fill writes c into the request. Data is not copied.
func (x *exchange) fill(id string, c *verdict.Content) {
	x.request.ScanId = id
	p := &x.content
	p.Phase = scannerv1.Phase(c.Phase)
	p.Kind = scannerv1.Kind(c.Kind)
	p.Mime = strings.ToLower(wire(c.MIME, maxMIME))
	p.Data = c.Data
	p.Request, p.RequestTruncated = c.Request, c.RequestTruncated
	if len(c.Request) > handshake.MaxRequest {
		p.Request, p.RequestTruncated = c.Request[:handshake.MaxRequest], true
	}
	o := &x.origin
	o.Session = wire(c.Origin.Session, handshake.MaxOriginString)
	o.Principal = wire(c.Origin.Principal, handshake.MaxOriginString)
	o.Client = wire(c.Origin.Client, handshake.MaxOriginString)
	o.Server = wire(c.Origin.Server, handshake.MaxOriginString)
	o.Method = wire(c.Origin.Method, handshake.MaxOriginString)
	o.Target = wire(c.Origin.Target, handshake.MaxOriginString)
	o.ProtocolVersion = wire(c.Origin.ProtocolVersion, handshake.MaxOriginString)
	o.Call = wire(c.Origin.Call, handshake.MaxOriginString)
}

// free lets others use x and keeps nothing of the content.
func (x *exchange) free() {
	x.content.Data, x.content.Request, x.content.Inventory = nil, nil, nil
	x.response.Reset()
	exchanges.Put(x)
}

// inventory returns the message for what other servers offer.
func inventory(all []verdict.Offered) []*scannerv1.OfferedTool {
	var list []*scannerv1.OfferedTool
	for _, o := range all {
		list = append(list, &scannerv1.OfferedTool{
			Server: wire(o.Server, handshake.MaxOriginString), Name: wire(o.Name, handshake.MaxOriginString),
		})
	}
	return list
}

// wire makes a foreign string fit: valid UTF-8, cut between two characters.
func wire(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// verdictFrom converts a scanner's answer to the scan with this id and checks it
// against the content. Its error holds nothing of either.
func verdictFrom(p *scannerv1.ScanResponse, id string, c *verdict.Content, mayRewrite bool) (verdict.Verdict, error) {
	if p.GetScanId() != id {
		return verdict.Verdict{}, errors.New("the answer is to another scan")
	}
	if p.GetVerdict() == nil {
		return verdict.Verdict{}, errors.New("the answer holds no verdict")
	}
	if n := p.GetVerdict(); len(n.GetFindings()) > handshake.MaxFindings || len(n.GetUninspected()) > handshake.MaxFindings {
		return verdict.Verdict{}, errors.New("too many entries")
	}
	v := verdict.Verdict{
		Action:      actionFrom(p.GetVerdict().GetAction()),
		ScannerTime: int64(p.GetElapsed().AsDuration()),
		Reference:   p.GetVerdict().GetReference(),
		Link:        p.GetVerdict().GetLink(),
	}
	if findings := p.GetVerdict().GetFindings(); len(findings) > 0 {
		v.Findings = make([]verdict.Finding, len(findings))
		for i, f := range findings {
			v.Findings[i] = findingFrom(f)
			if v.Action != verdict.Redact {
				v.Findings[i].Edit = nil // the contract has it ignored
			} else if v.Findings[i].Edit != nil && !mayRewrite {
				v.Findings[i].Edit = &verdict.Edit{}
			}
		}
	}
	for _, u := range p.GetVerdict().GetUninspected() {
		v.Uninspected = append(v.Uninspected, verdict.Uninspected{Pointer: u.GetPointer(), Reason: u.GetReason()})
	}
	if err := verdict.Validate(v, *c); err != nil {
		return verdict.Verdict{}, err
	}
	return v, nil
}

func findingFrom(p *scannerv1.Finding) verdict.Finding {
	f := verdict.Finding{
		Rule:       p.GetRule(),
		Category:   p.GetCategory(),
		Confidence: p.GetConfidence(),
		Message:    p.GetMessage(),
	}
	if s := p.GetSeverity(); s >= 0 && s <= scannerv1.Severity_SEVERITY_CRITICAL {
		f.Severity = verdict.Severity(s)
	}
	if l := p.GetLocation(); l != nil {
		f.Location = verdict.Location{Pointer: l.GetPointer(), Start: offset(l.GetStart()), End: offset(l.GetEnd())}
	}
	if e := p.GetEdit(); e != nil {
		f.Edit = &verdict.Edit{HasText: e.Replacement != nil, Text: e.GetReplacement()}
	}
	return f
}

// offset converts an offset so that one beyond any content stays beyond.
func offset(n uint32) int {
	return int(min(n, math.MaxInt32))
}

// actionFrom returns ActionUnspecified, which does not validate, for a value
// that this relay does not know.
func actionFrom(p scannerv1.Action) verdict.Action {
	switch p {
	case scannerv1.Action_ACTION_ALLOW:
		return verdict.Allow
	case scannerv1.Action_ACTION_FLAG:
		return verdict.Flag
	case scannerv1.Action_ACTION_REDACT:
		return verdict.Redact
	case scannerv1.Action_ACTION_BLOCK:
		return verdict.Block
	default:
		return verdict.ActionUnspecified
	}
}
