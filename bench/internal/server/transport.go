package server

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/mcp-relay/relay/bench/internal/jscan"
)

const maxMessage = 64 << 20

// ServeStdio answers newline-delimited messages until r ends.
func (s *Server) ServeStdio(r io.Reader, w io.Writer) error {
	in := bufio.NewReaderSize(r, 256<<10)
	out := bufio.NewWriterSize(w, 256<<10)
	var mu sync.Mutex
	var slow sync.WaitGroup
	defer slow.Wait()
	var line, reply []byte
	for {
		var err error
		if line, err = readLine(in, line[:0]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if len(line) == 0 {
			continue
		}
		req := s.Parse(line)
		if req.Slow() {
			kept := s.Parse(bytes.Clone(line)) // the line is read over
			slow.Go(func() {
				b := append(s.Handle(&kept, nil), '\n')
				mu.Lock()
				defer mu.Unlock()
				_, _ = out.Write(b)
				_ = out.Flush()
			})
			continue
		}
		reply = s.Handle(&req, reply[:0])
		mu.Lock()
		if len(reply) > 0 {
			_, _ = out.Write(append(reply, '\n'))
		}
		// Answer a burst with one write.
		if in.Buffered() == 0 {
			err = out.Flush()
		}
		mu.Unlock()
		if err != nil {
			return err
		}
	}
}

func readLine(r *bufio.Reader, dst []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		dst = append(dst, part...)
		if err == nil {
			return bytes.TrimRight(dst, "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if len(dst) > maxMessage {
			return nil, errors.New("message too long")
		}
	}
}

// HTTPOptions configure the Streamable HTTP endpoint.
type HTTPOptions struct {
	Options

	SSE      bool // answer requests with an event stream instead of plain JSON
	Sessions bool // hand out and require Mcp-Session-Id (initialize era only)
}

type endpoint struct {
	*Server

	opt      HTTPOptions
	sessions sync.Map
}

// Handler serves /mcp, and /s/NAME/mcp as further servers whose tool names
// begin with "NAME_".
func Handler(opt HTTPOptions) http.Handler {
	root := &endpoint{Server: New(opt.Options), opt: opt}
	var mu sync.Mutex
	named := map[string]*endpoint{}
	mux := http.NewServeMux()
	mux.Handle("/mcp", root)
	mux.HandleFunc("/s/{name}/mcp", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		mu.Lock()
		e := named[name]
		if e == nil {
			o := opt
			o.Prefix = name + "_"
			e = &endpoint{Server: New(o.Options), opt: o}
			named[name] = e
		}
		mu.Unlock()
		e.ServeHTTP(w, r)
	})
	return mux
}

var buffers sync.Pool // of *bytes.Buffer

func borrow() *bytes.Buffer {
	b, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	b.Reset()
	return b
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if o := r.Header.Get("Origin"); o != "" && !localOrigin(o) {
		http.Error(w, "origin not allowed", http.StatusForbidden)
		return
	}
	switch r.Method {
	case http.MethodPost:
	case http.MethodDelete:
		if e.opt.Sessions {
			e.sessions.Delete(r.Header.Get("Mcp-Session-Id"))
			return
		}
		fallthrough
	default:
		w.Header().Set("Allow", "POST")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	in, out := borrow(), borrow()
	defer buffers.Put(in)
	defer buffers.Put(out)
	if r.ContentLength > 0 && r.ContentLength <= maxMessage {
		in.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := in.ReadFrom(http.MaxBytesReader(w, r.Body, maxMessage)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req := e.Parse(in.Bytes())
	status := http.StatusOK
	if req.Version != "" {
		if msg := headerMismatch(r.Header, &req); msg != "" {
			req.err, status = &rpcError{codeHeader, msg, ""}, http.StatusBadRequest
		}
	} else if e.opt.Sessions && !e.session(w, r, &req) {
		return
	}
	reply := out.AvailableBuffer()
	if e.opt.SSE && status == http.StatusOK {
		reply = append(reply, "event: message\ndata: "...)
	}
	head := len(reply)
	reply = e.Handle(&req, reply)
	if len(reply) == head {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if req.Version != "" && bytes.Contains(reply[:min(len(reply), 200)], []byte(`"error":`)) {
		status = errorStatus(reply)
	}
	h := w.Header()
	if head > 0 {
		reply = append(reply, "\n\n"...)
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no")
	} else {
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", fmt.Sprint(len(reply)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(reply)
	out.Write(reply) // keep the grown buffer
}

// errorStatus is the HTTP status that 2026-07-28 ties to an error code.
func errorStatus(reply []byte) int {
	switch string(jscan.Get(reply, "error", "code")) {
	case fmt.Sprint(codeMethod):
		return http.StatusNotFound
	case fmt.Sprint(codeUnsupported), fmt.Sprint(codeHeader), fmt.Sprint(codeParams):
		return http.StatusBadRequest
	}
	return http.StatusOK
}

func headerMismatch(h http.Header, r *Request) string {
	switch {
	case h.Get("Mcp-Protocol-Version") != r.Version:
		return "MCP-Protocol-Version does not match _meta"
	case h.Get("Mcp-Method") != r.Method:
		return "Mcp-Method does not match method"
	case r.Method == "tools/call" && h.Get("Mcp-Name") != r.name:
		return "Mcp-Name does not match params.name"
	}
	return ""
}

func (e *endpoint) session(w http.ResponseWriter, r *http.Request, req *Request) bool {
	if req.Method == "initialize" {
		id := rand.Text()
		e.sessions.Store(id, true)
		w.Header().Set("Mcp-Session-Id", id)
		return true
	}
	if _, ok := e.sessions.Load(r.Header.Get("Mcp-Session-Id")); !ok {
		http.Error(w, "unknown session", http.StatusNotFound)
		return false
	}
	return true
}

func localOrigin(o string) bool {
	u, err := url.Parse(o)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
