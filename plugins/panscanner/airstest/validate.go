package airstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"
)

// The texts of error answers that integrators have seen, verbatim, including the
// quotes and the newline inside the first one.
const (
	msgEmptyContents  = "\"empty content data\"\n"
	msgNoContentField = "content validation failed: at least one of Prompt, Response, CodePrompt, CodeResponse, " +
		"or ToolEvent must be provided"
	msgWrongFormat = "received wrong request format"
	msgMethod      = "unsupported method"
	msgEcosystem   = "unsupported ecosystem"
	msgForbidden   = "Invalid API Key or Oauth Token"
)

// The other texts, which are the examples of the OpenAPI document or, where
// there is none, made up.
const (
	msgMalformed    = "Request data is invalid or malformed"
	msgUnauthorized = "Not Authenticated"
	msgNotFound     = "Resource is not found"
	msgBadMethod    = "The method is not allowed"
	msgTooLarge     = "The request body is too large"
	msgMediaType    = "The media type is not supported"
	msgRate         = "Request exceeds limit"
	msgInternal     = "Internal Server Error"
	msgProfile      = "AI profile not found"
)

const (
	maxIDLength      = 100
	maxProfileLength = 100
	maxContextRunes  = 100_000
	toolsList        = "tools/list"
	toolsCall        = "tools/call"
)

// apiError is an answer other than 200.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func badRequest(message string) *apiError {
	return &apiError{status: http.StatusBadRequest, message: message}
}

// parseScan decodes and validates one scan request and finds its profile.
func (s *Server) parseScan(body []byte, key *Key) (*scanRequest, *Profile, *apiError) {
	var req scanRequest
	if err := json.Unmarshal(body, &req); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
			return nil, nil, badRequest(msgWrongFormat)
		}
		return nil, nil, badRequest(msgMalformed)
	}
	if len(req.Contents) == 0 {
		return nil, nil, badRequest(msgEmptyContents)
	}
	for _, id := range []string{req.SessionID, req.TrID, req.TransactionID} {
		if utf8.RuneCountInString(id) > maxIDLength {
			return nil, nil, badRequest(msgMalformed)
		}
	}
	if err := s.checkContent(&req.Contents[len(req.Contents)-1]); err != nil {
		return nil, nil, err
	}
	profile, err := s.profileFor(req.AIProfile, key)
	return &req, profile, err
}

// checkContent validates the content that is judged, which is the last one.
func (s *Server) checkContent(c *content) *apiError {
	texts := []*string{c.Prompt, c.Response, c.CodePrompt, c.CodeResponse}
	if c.ToolEvent != nil {
		if err := checkToolEvent(c.ToolEvent); err != nil {
			return err
		}
		texts = append(texts, c.ToolEvent.Input, c.ToolEvent.Output)
	}
	given, urls := 0, 0
	for _, text := range texts {
		if text == nil {
			continue
		}
		given++
		if *text == "" && !s.config.AllowEmptyString {
			return badRequest(msgMalformed)
		}
		urls += strings.Count(*text, "://")
	}
	if given == 0 {
		return badRequest(msgNoContentField)
	}
	if urls > s.config.MaxURLs {
		return badRequest(msgMalformed) // what the service does here is unpublished
	}
	if c.Context != nil && utf8.RuneCountInString(*c.Context) > maxContextRunes {
		return badRequest(msgMalformed)
	}
	return nil
}

func checkToolEvent(e *toolEvent) *apiError {
	switch {
	case e.Metadata.Ecosystem != "mcp":
		return badRequest(msgEcosystem)
	case e.Metadata.Method != toolsCall && e.Metadata.Method != toolsList:
		return badRequest(msgMethod)
	case e.Metadata.ServerName == "" || e.Input == nil && e.Output == nil:
		return badRequest(msgMalformed)
	default:
		return nil
	}
}

// profileFor picks the profile: by id, else by name, else the key's own.
func (s *Server) profileFor(want aiProfile, key *Key) (*Profile, *apiError) {
	if utf8.RuneCountInString(want.Name) > maxProfileLength {
		return nil, badRequest(msgMalformed)
	}
	if want == (aiProfile{}) && key != nil {
		want.Name = key.Profile
	}
	for i := range s.config.Profiles {
		p := &s.config.Profiles[i]
		if want.ID == p.ID || want.ID == "" && want.Name == p.Name {
			return p, nil
		}
	}
	return nil, badRequest(msgProfile)
}
