package airstest

import "encoding/json"

// The shapes of the API as the OpenAPI document gives them. They are written
// out here, and not shared with the scanner, so that a mistake in one is not
// repeated in the other.

type scanRequest struct {
	TransactionID string    `json:"transaction_id"`
	SessionID     string    `json:"session_id"`
	TrID          string    `json:"tr_id"`
	AIProfile     aiProfile `json:"ai_profile"`
	Contents      []content `json:"contents"`
	// Metadata is only checked for being an object; unknown names in it are tolerated.
	Metadata map[string]json.RawMessage `json:"metadata"`
}

type aiProfile struct {
	ID   string `json:"profile_id"`
	Name string `json:"profile_name"`
}

type content struct {
	Prompt       *string    `json:"prompt"`
	Response     *string    `json:"response"`
	CodePrompt   *string    `json:"code_prompt"`
	CodeResponse *string    `json:"code_response"`
	Context      *string    `json:"context"`
	ToolEvent    *toolEvent `json:"tool_event"`
}

type toolEvent struct {
	Metadata toolMetadata `json:"metadata"`
	Input    *string      `json:"input"`
	Output   *string      `json:"output"`
}

type toolMetadata struct {
	Ecosystem   string `json:"ecosystem"`
	Method      string `json:"method"`
	ServerName  string `json:"server_name"`
	ToolInvoked string `json:"tool_invoked,omitempty"`
}

type flags map[string]bool

type scanResponse struct {
	Source           string            `json:"source"`
	ReportID         string            `json:"report_id"`
	ScanID           string            `json:"scan_id"`
	TrID             string            `json:"tr_id"`
	SessionID        string            `json:"session_id"`
	TransactionID    string            `json:"transaction_id"`
	ProfileID        string            `json:"profile_id"`
	ProfileName      string            `json:"profile_name"`
	Category         string            `json:"category"`
	Action           string            `json:"action"`
	Timeout          bool              `json:"timeout"`
	Error            bool              `json:"error"`
	Errors           []detectorError   `json:"errors"`
	PromptDetected   flags             `json:"prompt_detected"`
	ResponseDetected flags             `json:"response_detected"`
	PromptMasked     *maskedData       `json:"prompt_masked_data,omitempty"`
	ResponseMasked   *maskedData       `json:"response_masked_data,omitempty"`
	PromptDetails    *detectionDetails `json:"prompt_detection_details,omitempty"`
	ResponseDetails  *detectionDetails `json:"response_detection_details,omitempty"`
	ToolDetected     *toolDetected     `json:"tool_detected,omitempty"`
	CreatedAt        string            `json:"created_at"`
	CompletedAt      string            `json:"completed_at"`
}

type detectorError struct {
	ContentType string `json:"content_type"`
	Feature     string `json:"feature"`
	Status      string `json:"status"`
}

type maskedData struct {
	Data              string             `json:"data"`
	PatternDetections []patternDetection `json:"pattern_detections"`
}

type patternDetection struct {
	Pattern   string   `json:"pattern"`
	Locations [][2]int `json:"locations"`
}

type detectionDetails struct {
	Topics *topicDetails `json:"topic_guardrails_details,omitempty"`
}

type topicDetails struct {
	Allowed []string `json:"allowed_topics"`
	Blocked []string `json:"blocked_topics"`
}

type toolDetected struct {
	Verdict  string       `json:"verdict"`
	Metadata toolMetadata `json:"metadata"`
	Summary  toolSummary  `json:"summary"`
	Input    *ioDetected  `json:"input_detected,omitempty"`
	Output   *ioDetected  `json:"output_detected,omitempty"`
}

type toolSummary struct {
	Detections flags    `json:"detections"`
	Threats    []string `json:"threats"`
}

type ioDetected struct {
	Entries []toolEntry `json:"detection_entries"`
}

type toolEntry struct {
	ToolInvoked string            `json:"tool_invoked"`
	Detections  flags             `json:"detections"`
	Threats     []string          `json:"threats"`
	Details     *detectionDetails `json:"details,omitempty"`
	Masked      *maskedData       `json:"masked_data,omitempty"`
}

type asyncObject struct {
	ReqID   uint32          `json:"req_id"`
	ScanReq json.RawMessage `json:"scan_req"`
}

type asyncAccepted struct {
	Received string `json:"received"`
	ScanID   string `json:"scan_id"`
	ReportID string `json:"report_id"`
	Source   string `json:"source"`
}

type scanResult struct {
	Source string        `json:"source"`
	ReqID  uint32        `json:"req_id"`
	Status string        `json:"status"`
	ScanID string        `json:"scan_id"`
	Result *scanResponse `json:"result,omitempty"`
}
