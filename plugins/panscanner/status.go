package panscanner

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mcp-relay/relay/scanner"
)

// statusFailure turns an answer other than 200 into an error, and says whether
// another attempt may help. Nothing of the answer is quoted: it is foreign text
// and may repeat the content.
func statusFailure(status int, header http.Header, body []byte) (retry bool, failure *scanner.Error) {
	switch {
	case status == http.StatusTooManyRequests:
		return true, &scanner.Error{
			Reason: scanner.ReasonRateLimited, RetryAfter: retryAfter(header, body),
			Message: "Prisma AIRS refuses more requests: the quota or rate limit is used up",
		}
	case status == http.StatusUnauthorized:
		return false, &scanner.Error{
			Reason:  scanner.ReasonUnauthenticated,
			Message: "Prisma AIRS sees no credentials (401): check api_key or api_token, and that no proxy removes them",
		}
	case status == http.StatusForbidden:
		return false, &scanner.Error{
			Reason:  scanner.ReasonUnauthenticated,
			Message: "Prisma AIRS refuses the credentials (403): they are wrong, revoked or expired, or of another region",
		}
	case status == http.StatusRequestEntityTooLarge:
		return false, &scanner.Error{
			Reason: scanner.ReasonTooLarge, ContentCaused: true,
			Message: "Prisma AIRS refuses the request as too large: lower max_request_bytes",
		}
	case status == http.StatusBadRequest:
		// Always the content's fault as far as policy goes: its author may have
		// found a way to be refused.
		e := &scanner.Error{Reason: scanner.ReasonInternal, ContentCaused: true, Message: "Prisma AIRS refuses the request (400)"}
		if bytes.Contains(bytes.ToLower(body), []byte("profile")) {
			e.Message += ": perhaps the profile does not exist"
		}
		return false, e
	case status >= 300 && status < 400:
		return false, &scanner.Error{
			Reason:  scanner.ReasonUnavailable,
			Message: "the endpoint redirects, which is not followed: configure the final address",
		}
	case status >= http.StatusInternalServerError:
		return passing(status), &scanner.Error{
			Reason:  scanner.ReasonUnavailable,
			Message: "Prisma AIRS or a gateway before it failed with status " + strconv.Itoa(status),
		}
	default:
		return false, &scanner.Error{
			Reason:  scanner.ReasonInternal,
			Message: "unexpected status " + strconv.Itoa(status) + ": check that endpoint is a Prisma AIRS scan API",
		}
	}
}

// passing reports whether an error of the service may be gone in a moment.
func passing(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// maxRetryAfter bounds what a foreign answer can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads when to come back: nested in error as the API documents it,
// at the top level as some clients expect it, or from the Retry-After header.
// Zero means that nothing usable was said.
func retryAfter(header http.Header, body []byte) time.Duration {
	var top struct {
		Error      jsontext.Value `json:"error"` // an object, or a string from some gateways
		RetryAfter jsontext.Value `json:"retry_after"`
	}
	if json.Unmarshal(body, &top) == nil {
		var nested struct {
			RetryAfter jsontext.Value `json:"retry_after"`
		}
		if top.Error.Kind() == '{' && json.Unmarshal(top.Error, &nested) == nil {
			if d := interval(nested.RetryAfter); d > 0 {
				return d
			}
		}
		if d := interval(top.RetryAfter); d > 0 {
			return d
		}
	}
	value := header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return scaled(float64(seconds), time.Second)
	}
	if at, err := http.ParseTime(value); err == nil {
		from := time.Now()
		if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
			from = theirs // the clocks may differ
		}
		return max(0, min(at.Sub(from), maxRetryAfter))
	}
	return 0
}

// interval reads {"interval": 5, "unit": "minute"}.
func interval(raw jsontext.Value) time.Duration {
	var v struct {
		Interval jsontext.Value `json:"interval"`
		Unit     string         `json:"unit"`
	}
	if raw.Kind() != '{' || json.Unmarshal(raw, &v) != nil {
		return 0
	}
	number, err := strconv.ParseFloat(strings.Trim(string(v.Interval), `"`), 64)
	if err != nil {
		return 0
	}
	switch strings.TrimSuffix(strings.ToLower(v.Unit), "s") {
	case "second", "sec", "":
		return scaled(number, time.Second)
	case "minute", "min":
		return scaled(number, time.Minute)
	case "hour":
		return scaled(number, time.Hour)
	case "day":
		return scaled(number, maxRetryAfter)
	case "millisecond", "m":
		return scaled(number, time.Millisecond)
	default:
		return 0
	}
}

func scaled(number float64, unit time.Duration) time.Duration {
	d := number * float64(unit)
	if !(d > 0) { // also not a number
		return 0
	}
	return time.Duration(min(d, float64(maxRetryAfter)))
}
