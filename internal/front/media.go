package front

import (
	"net/http"
	"strconv"
	"strings"
)

// The media types of the HTTP transports.
const (
	mediaJSON   = "application/json"
	mediaEvents = "text/event-stream"
)

// accepted says which answers a client takes.
type accepted struct{ json, events bool }

// acceptedBy reads the Accept header. A client that has none takes everything;
// so do those that other servers are lenient with.
func acceptedBy(h http.Header) accepted {
	values := h["Accept"]
	if len(values) == 0 {
		return accepted{json: true, events: true}
	}
	var a accepted
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			media, params, _ := strings.Cut(part, ";")
			if refusedByQuality(params) {
				continue
			}
			switch strings.ToLower(strings.TrimSpace(media)) {
			case mediaJSON, "application/*":
				a.json = true
			case mediaEvents, "text/*":
				a.events = true
			case "*/*":
				a.json, a.events = true, true
			}
		}
	}
	return a
}

// refusedByQuality reports whether the parameters say q=0, which is "not this".
func refusedByQuality(params string) bool {
	for params != "" {
		var one string
		one, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(one), "=")
		if strings.EqualFold(name, "q") {
			q, err := strconv.ParseFloat(value, 64)
			return err == nil && q <= 0
		}
	}
	return false
}

// sendsJSON reports whether a request's body is JSON that can be read as it is.
func sendsJSON(h http.Header) bool {
	types, encodings := h["Content-Type"], h["Content-Encoding"]
	if len(types) != 1 || len(encodings) > 1 || (len(encodings) == 1 && !strings.EqualFold(encodings[0], "identity")) {
		return false
	}
	media, _, _ := strings.Cut(types[0], ";")
	return strings.EqualFold(strings.TrimSpace(media), mediaJSON)
}
