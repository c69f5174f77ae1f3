package airstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Headers that change one answer.
const (
	// HeaderFault names a fault for this request only; see [ParseFault].
	HeaderFault = "X-Airstest-Fault"
	// HeaderLatency replaces the delay of this request, for example "0s".
	HeaderLatency = "X-Airstest-Latency"
)

// Fault is one way to misbehave.
type Fault struct {
	kind string
	arg  string
}

// faultKinds lists the faults with whether they take an argument and what they do.
var faultKinds = map[string]struct {
	needsArg bool
	doc      string
}{
	"none":         {false, "answer properly; overrides the default fault"},
	"slow":         {true, "answer after this duration"},
	"hang":         {false, "never answer"},
	"reset":        {false, "reset the connection"},
	"cut":          {false, "close the connection in the middle of the body"},
	"truncated":    {false, "send half of the JSON as a complete answer"},
	"garbage":      {true, "answer with this many bytes that mean nothing"},
	"drip":         {true, "send the answer byte by byte, one each time this duration has passed"},
	"html":         {true, "answer with an HTML page and this status"},
	"huge":         {true, "answer with this many bytes of padding before the members"},
	"status":       {true, "answer with this status and its usual body"},
	"rate":         {true, "answer 429 with this shape: nested, top, header, fault or none"},
	"error_string": {true, "answer with this status and a string as error"},
	"action":       {true, "answer with this action"},
	"no_action":    {false, "leave the action out"},
	"category":     {true, "answer with this category"},
	"partial":      {true, "say that a detector ended as error or timeout, and allow"},
	"redirect":     {true, "redirect: status,URL"},
}

// ParseFault reads a fault: a name, and for some "=argument". Empty: none.
func ParseFault(text string) (Fault, error) {
	kind, arg, _ := strings.Cut(text, "=")
	if kind == "" {
		kind = "none"
	}
	def, ok := faultKinds[kind]
	if !ok || def.needsArg != (arg != "") {
		return Fault{}, fmt.Errorf("unknown fault %q: see FaultHelp", text)
	}
	return Fault{kind: kind, arg: arg}, nil
}

// FaultHelp describes every fault, one per line.
func FaultHelp() string {
	var b strings.Builder
	for _, kind := range slices.Sorted(maps.Keys(faultKinds)) {
		def := faultKinds[kind]
		if def.needsArg {
			kind += "=…"
		}
		fmt.Fprintf(&b, "  %-16s %s\n", kind, def.doc)
	}
	return b.String()
}

// number returns the argument as a number, or def.
func (f Fault) number(def int) int {
	head, _, _ := strings.Cut(f.arg, ",")
	if n, err := strconv.Atoi(head); err == nil {
		return n
	}
	return def
}

// before runs what happens instead of judging, and reports whether it answered.
func (s *Server) before(f Fault, w http.ResponseWriter, r *http.Request) bool {
	switch f.kind {
	case "slow":
		d, err := time.ParseDuration(f.arg)
		if err != nil {
			d = 500 * time.Millisecond
		}
		return !s.wait(r, d)
	case "hang":
		s.wait(r, 0)
	case "reset":
		hijack(w, nil, true)
	case "garbage":
		_, _ = w.Write(s.dice.bytes(f.number(0)))
	case "html":
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.number(http.StatusBadGateway))
		_, _ = w.Write([]byte("<html><body><h1>Bad Gateway</h1></body></html>"))
	case "status":
		writeError(w, &apiError{status: f.number(http.StatusInternalServerError), message: messageOf(f.number(500))})
	case "rate":
		rate := s.config.Rate
		rate.Shape = f.arg
		writeRateLimited(w, rate)
	case "error_string":
		if f.number(http.StatusOK) == http.StatusOK {
			return false
		}
		writeJSON(w, f.number(http.StatusBadRequest), map[string]string{"message": "failed", "error": "failed"})
	case "redirect":
		_, target, _ := strings.Cut(f.arg, ",")
		w.Header().Set("Location", target)
		w.WriteHeader(f.number(http.StatusTemporaryRedirect))
	default:
		return false
	}
	return true
}

// wait sleeps for d, or until the client or the server leaves when d is zero.
// It reports whether the request is still wanted.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-after:
		return true
	case <-r.Context().Done():
		return false
	case <-s.closing:
		return false
	}
}

// answer writes a verdict, spoilt by f.
func (s *Server) answer(f Fault, w http.ResponseWriter, resp *scanResponse) {
	raw, err := json.Marshal(resp)
	if err != nil {
		writeError(w, &apiError{status: http.StatusInternalServerError, message: msgInternal})
		return
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		writeError(w, &apiError{status: http.StatusInternalServerError, message: msgInternal})
		return
	}
	switch f.kind {
	case "truncated":
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw[:len(raw)/2])
		return
	case "cut":
		hijack(w, raw, false)
		return
	case "drip":
		s.drip(f, w, raw)
		return
	case "huge":
		members["airstest_padding"] = strings.Repeat("x", f.number(0))
	case "action":
		members["action"] = f.arg
	case "no_action":
		delete(members, "action")
	case "category":
		members["category"] = f.arg
	case "error_string":
		members["error"] = "failed"
	case "partial":
		members["action"], members["category"] = actionAllow, "benign"
		members["timeout"], members["error"] = f.arg == "timeout", f.arg != "timeout"
		members["errors"] = []detectorError{{ContentType: "response", Feature: injection, Status: f.arg}}
	default:
	}
	writeJSON(w, http.StatusOK, members)
}

// hijack takes the connection over, writes half of body behind an honest
// header, and closes it. HTTP/2 has no connection to take: the stream is
// aborted instead.
func hijack(w http.ResponseWriter, body []byte, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0)
	}
	if body != nil {
		const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
		_, _ = fmt.Fprintf(conn, head+"%s", len(body), body[:len(body)/2]) // broken on purpose
	}
}

// drip sends body byte by byte until the client or the server leaves.
func (s *Server) drip(f Fault, w http.ResponseWriter, body []byte) {
	every, err := time.ParseDuration(f.arg)
	if err != nil || every <= 0 {
		every = 100 * time.Millisecond
	}
	w.Header().Set("Content-Type", "application/json")
	control := http.NewResponseController(w)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range body {
		select {
		case <-tick.C:
		case <-s.closing:
			return
		}
		if _, err := w.Write(body[i : i+1]); err != nil || control.Flush() != nil {
			return
		}
	}
}
