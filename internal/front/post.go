package front

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strconv"

	"github.com/mcp-relay/relay/internal/jsonrpc"
	"github.com/mcp-relay/relay/internal/peer"
	"github.com/mcp-relay/relay/internal/protocol"
)

// Headers of the legacy era.
const (
	headerSession   = "Mcp-Session-Id"
	headerLastEvent = "Last-Event-Id"
	headerVersion   = "Mcp-Protocol-Version" // protocol.HeaderVersion as net/http spells it
)

// post serves one message of a client, of either era.
func (h *Handler) post(w http.ResponseWriter, r *http.Request, principal string) {
	takes := acceptedBy(r.Header)
	if !takes.json && !takes.events {
		refuse(w, http.StatusNotAcceptable)
		return
	}
	m, ok := h.read(w, r, principal)
	if !ok {
		return
	}
	versions := r.Header[headerVersion]
	version := ""
	if len(versions) > 0 {
		version = versions[0]
	}
	switch {
	case protocol.EraOf(version) == protocol.Modern, saysModern(m.Params):
		h.modern(w, r, principal, m, takes)
	case len(versions) > 1, version != "" && !protocol.KnownLegacy(version):
		refuse(w, http.StatusBadRequest)
	default:
		h.legacy(w, r, principal, m, takes)
	}
}

// saysModern reports whether params say so themselves. It spares long params
// that cannot hold the key, in whatever spelling, a second reading.
func saysModern(params []byte) bool {
	if !bytes.Contains(params, []byte(protocol.MetaVersion)) && bytes.IndexByte(params, '\\') < 0 {
		return false
	}
	// Whether it is well formed is asked by who serves it.
	_, modern, _ := protocol.MetaOf(params)
	return modern
}

// read reads the one message of a request. Where there is none it answers
// itself and returns false.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, principal string) (jsonrpc.Message, bool) {
	if !sendsJSON(r.Header) {
		refuse(w, http.StatusUnsupportedMediaType)
		return jsonrpc.Message{}, false
	}
	body, err := h.body(w, r, principal)
	if err != nil {
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			refuse(w, http.StatusRequestEntityTooLarge)
		case errors.Is(err, errManyBodies):
			h.shy.refused("the principal sends as much at a time as it may")
			turnAway(w, http.StatusTooManyRequests)
		case errors.Is(err, os.ErrDeadlineExceeded):
			refuse(w, http.StatusRequestTimeout)
		default:
			refuse(w, http.StatusBadRequest)
		}
		return jsonrpc.Message{}, false
	}
	m, err := jsonrpc.Parse(body, h.opts.Shape)
	if err != nil {
		code, text := protocol.CodeParseError, "the body is not valid JSON"
		var perr *jsonrpc.ParseError
		if errors.As(err, &perr) && perr.Reason != jsonrpc.Malformed {
			code, text = protocol.CodeInvalidRequest, perr.Error()
		}
		h.refusal(w, m.ID, code, text)
		return jsonrpc.Message{}, false
	}
	return m, true
}

// refusal answers a bad request with a JSON-RPC error of the front's own.
func (h *Handler) refusal(w http.ResponseWriter, id jsonrpc.ID, code int, text string) {
	frame, err := peer.AppendResponse(nil, id, h.opts.Host.Refusal(code, text))
	if err != nil {
		refuse(w, http.StatusInternalServerError)
		return
	}
	_ = h.writeJSON(w, http.StatusBadRequest, frame) // who is gone needs no answer
}

// writeJSON answers with one message.
func (h *Handler) writeJSON(w http.ResponseWriter, status int, frame []byte) error {
	const counted = 2048 // net/http finds out the length of a shorter body itself
	header := w.Header()
	header["Content-Type"] = jsonType
	header["X-Content-Type-Options"] = noSniff
	if len(frame) >= counted {
		header.Set("Content-Length", strconv.Itoa(len(frame)))
	}
	e := newEvents(w, &h.limits)
	w.WriteHeader(status)
	return e.write(frame)
}

// Values of headers that every answer has.
var (
	jsonType = []string{mediaJSON}
	noSniff  = []string{"nosniff"}
)
