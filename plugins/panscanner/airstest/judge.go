package airstest

import (
	"encoding/json"
	"maps"
	"time"
)

// judge makes the answer to a valid request. Only the last content is judged.
func (s *Server) judge(req *scanRequest, p *Profile, scanID string, created time.Time) *scanResponse {
	r := &scanResponse{
		Source: source, ReportID: "R" + scanID, ScanID: scanID,
		ProfileID: p.ID, ProfileName: p.Name,
		Errors: []detectorError{}, PromptDetected: flags{}, ResponseDetected: flags{},
		CreatedAt: created.UTC().Format(time.RFC3339),
	}
	s.correlate(r, req)
	c := &req.Contents[len(req.Contents)-1]
	raised := flags{}
	judgePrompt(r, p, c, raised)
	judgeResponse(r, p, c, raised)
	if c.ToolEvent != nil {
		judgeTool(r, p, c.ToolEvent, raised)
	}

	r.Category, r.Action = "benign", actionAllow
	for _, on := range raised {
		if on {
			r.Category = "malicious"
		}
	}
	if p.blocks(raised) {
		r.Action = actionBlock
	}
	settlePartial(r, p)
	r.CompletedAt = time.Now().UTC().Format(time.RFC3339)
	return r
}

// correlate fills the three ids: tr_id is an old name of the session and never
// feeds the transaction.
func (s *Server) correlate(r *scanResponse, req *scanRequest) {
	r.TransactionID = req.TransactionID
	if r.TransactionID == "" {
		r.TransactionID = "pan_" + s.dice.uuid()
	}
	switch {
	case req.SessionID != "":
		r.SessionID = req.SessionID
	case req.TrID != "":
		r.SessionID = req.TrID
	default:
		r.SessionID = "pan_" + s.dice.uuid()
	}
	r.TrID = r.SessionID
}

func judgePrompt(r *scanResponse, p *Profile, c *content, raised flags) {
	if c.Prompt != nil {
		d := p.detect(*c.Prompt, promptFeatures)
		maps.Copy(r.PromptDetected, d.flags)
		r.PromptMasked = p.maskFor(*c.Prompt, d.flags)
		r.PromptDetails = d.details()
		r.partial("prompt", p.late(promptFeatures))
	}
	if c.CodePrompt != nil {
		merge(r.PromptDetected, p.detect(*c.CodePrompt, codeFeatures).flags)
	}
	merge(raised, r.PromptDetected)
}

func judgeResponse(r *scanResponse, p *Profile, c *content, raised flags) {
	if c.Response != nil {
		d := p.detect(*c.Response, responseFeatures)
		maps.Copy(r.ResponseDetected, d.flags)
		if _, enabled := d.flags[ungrounded]; enabled && c.Context != nil {
			r.ResponseDetected[ungrounded] = notGrounded(*c.Context, *c.Response)
		}
		r.ResponseMasked = p.maskFor(*c.Response, d.flags)
		r.ResponseDetails = d.details()
		r.partial("response", p.late(responseFeatures))
	}
	if c.CodeResponse != nil {
		merge(r.ResponseDetected, p.detect(*c.CodeResponse, codeFeatures).flags)
	}
	merge(raised, r.ResponseDetected)
}

func judgeTool(r *scanResponse, p *Profile, e *toolEvent, raised flags) {
	t := &toolDetected{Metadata: e.Metadata, Verdict: "benign"}
	summary := detection{flags: allOff()}
	if e.Input != nil {
		t.Input = &ioDetected{Entries: []toolEntry{p.entry(e.Metadata.ToolInvoked, *e.Input, true, &summary)}}
	}
	if e.Output != nil {
		t.Output = &ioDetected{Entries: p.outputEntries(e, &summary)}
	}
	t.Summary = toolSummary{Detections: summary.flags, Threats: summary.threats()}
	if summary.any() {
		t.Verdict = "malicious"
	}
	r.ToolDetected = t
	merge(raised, summary.flags)
	// The published enumeration has no value for tool events.
	r.partial("response", p.late(toolFeatures))
}

// outputEntries gives one entry per tool of a catalogue, else one for all.
func (p *Profile) outputEntries(e *toolEvent, summary *detection) []toolEntry {
	var list struct {
		Tools []json.RawMessage `json:"tools"`
	}
	if e.Metadata.Method != toolsList || json.Unmarshal([]byte(*e.Output), &list) != nil || list.Tools == nil {
		return []toolEntry{p.entry(e.Metadata.ToolInvoked, *e.Output, true, summary)}
	}
	entries := make([]toolEntry, 0, len(list.Tools))
	for _, raw := range list.Tools {
		var tool struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(raw, &tool) != nil {
			tool.Name = ""
		}
		entries = append(entries, p.entry(tool.Name, string(raw), false, summary))
	}
	return entries
}

func (p *Profile) entry(tool, text string, masking bool, summary *detection) toolEntry {
	d := p.detect(readable(text), toolFeatures)
	entry := toolEntry{ToolInvoked: tool, Detections: allOff(), Threats: d.threats(), Details: d.details()}
	maps.Copy(entry.Detections, d.flags)
	if masking {
		entry.Masked = p.maskFor(text, d.flags)
	}
	merge(summary.flags, d.flags)
	summary.credential = summary.credential || d.credential
	return entry
}

// allOff returns the eight flags of a tool event, all of which are always sent.
func allOff() flags {
	f := flags{}
	for _, name := range toolFeatures {
		f[name] = false
	}
	return f
}

func merge(into, from flags) {
	for name, on := range from {
		into[name] = into[name] || on
	}
}

func (d detection) details() *detectionDetails {
	if len(d.topics) == 0 {
		return nil
	}
	return &detectionDetails{Topics: &topicDetails{Allowed: []string{}, Blocked: d.topics}}
}

// partial records detectors that ran over their budget.
func (r *scanResponse) partial(contentType string, late []string) {
	for _, feature := range late {
		r.Timeout = true
		r.Errors = append(r.Errors, detectorError{ContentType: contentType, Feature: feature, Status: "timeout"})
	}
}

// settlePartial applies the profile's action for partial results. Category
// "timeout" beside a block, and the detectors' own category beside an allow,
// are assumptions.
func settlePartial(r *scanResponse, p *Profile) {
	if r.Timeout && r.Action == actionAllow && p.TimeoutAction != actionAllow {
		r.Action, r.Category = actionBlock, "timeout"
	}
}
