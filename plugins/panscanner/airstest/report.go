package airstest

import (
	"maps"
	"slices"
)

type report struct {
	Source        string            `json:"source"`
	ReportID      string            `json:"report_id"`
	ScanID        string            `json:"scan_id"`
	ReqID         uint32            `json:"req_id"`
	TransactionID string            `json:"transaction_id"`
	SessionID     string            `json:"session_id"`
	Results       []detectionResult `json:"detection_results"`
}

type detectionResult struct {
	DataType string          `json:"data_type"`
	Service  string          `json:"detection_service"`
	Verdict  string          `json:"verdict"`
	Action   string          `json:"action"`
	Metadata *resultMetadata `json:"metadata,omitempty"`
	Detail   map[string]any  `json:"result_detail"`
}

type resultMetadata struct {
	toolMetadata
	Direction string `json:"direction"`
}

// services maps a detector to the short name that reports use.
var services = map[string]string{
	injection: "pi", urlCats: "uf", dlp: "dlp", dbSecurity: "dbs", toxicContent: "tc", maliciousCode: "malicious_code",
	agent: "agent_security", topicViolation: "topic_guardrails", ungrounded: "contextual_grounding",
}

func reportOf(row storedRow) report {
	r := report{
		Source: source, ReportID: row.resp.ReportID, ScanID: row.resp.ScanID, ReqID: row.reqID,
		TransactionID: row.resp.TransactionID, SessionID: row.resp.SessionID, Results: []detectionResult{},
	}
	r.add("prompt", row.resp.PromptDetected, row.resp.Action, nil)
	r.add("response", row.resp.ResponseDetected, row.resp.Action, nil)
	if tool := row.resp.ToolDetected; tool != nil {
		r.addEntries(tool.Input, tool.Metadata, row.resp.Action, "input")
		r.addEntries(tool.Output, tool.Metadata, row.resp.Action, "output")
	}
	return r
}

func (r *report) addEntries(side *ioDetected, meta toolMetadata, action, direction string) {
	if side == nil {
		return
	}
	for _, entry := range side.Entries {
		meta.ToolInvoked = entry.ToolInvoked
		r.add("tool_event", entry.Detections, action, &resultMetadata{toolMetadata: meta, Direction: direction})
	}
}

func (r *report) add(dataType string, found flags, action string, meta *resultMetadata) {
	for _, feature := range slices.Sorted(maps.Keys(found)) {
		service, ok := services[feature]
		if !ok {
			continue
		}
		result := detectionResult{
			DataType: dataType, Service: service, Verdict: "benign", Action: actionAllow, Metadata: meta, Detail: map[string]any{},
		}
		if found[feature] {
			result.Verdict, result.Action = "malicious", action
		}
		switch feature {
		case toxicContent:
			result.Detail["tc_report"] = map[string]any{"confidence": "", "verdict": result.Verdict}
		case maliciousCode:
			result.Detail["mc_report"] = map[string]any{"code_analysis_by_type": []any{}, "verdict": result.Verdict}
		case injection:
			result.Detail["pi_report"] = map[string]any{"verdict": result.Verdict}
		default:
		}
		r.Results = append(r.Results, result)
	}
}
