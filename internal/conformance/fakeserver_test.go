package conformance

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
)

// brain is what a fake server does with a frame. say sends a frame back: over
// HTTP on the stream of a request, until that request has its response.
type brain func(frame []byte, say func(frame []byte))

// fakeServer is an MCP server that a test plays, over stdio or HTTP.
type fakeServer struct {
	entry map[string]any // of mcpServers
	web   *httptest.Server

	mu    sync.Mutex
	brain brain
	lines map[*lineWire]bool   // connections over stdio
	gets  map[chan []byte]bool // open GET streams
	heads []string             // headers of every request
	// rude answers a request as no server should; false: it did not.
	rude func(w http.ResponseWriter, e *envelope) bool
}

func (s *fakeServer) think(frame []byte, say func([]byte)) {
	s.mu.Lock()
	b := s.brain
	s.mu.Unlock()
	b(frame, say)
}

// tell sends a frame that belongs to no request.
func (s *fakeServer) tell(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.lines {
		_ = w.send(frame)
	}
	for get := range s.gets {
		get <- frame
	}
}

// newFakeServer starts a server: "stdio" or "http".
func newFakeServer(t *testing.T, transport, era string, b brain) *fakeServer {
	t.Helper()
	s := &fakeServer{brain: b, lines: map[*lineWire]bool{}, gets: map[chan []byte]bool{}}
	if transport == overHTTP {
		web := httptest.NewServer(http.HandlerFunc(s.serve))
		s.web = web
		t.Cleanup(func() {
			web.CloseClientConnections()
			web.Close()
		})
		s.entry = object("type", "http", "url", web.URL+"/", "protocol", era)
		return s
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.attend(c)
		}
	}()
	s.entry = object("command", program(pipeRole), "args", []string{l.Addr().String()}, "protocol", era)
	return s
}

// attend serves one process of the server's program.
func (s *fakeServer) attend(c net.Conn) {
	w := newLineWire(c, c)
	s.mu.Lock()
	s.lines[w] = true
	s.mu.Unlock()
	for frame := range w.frames() {
		s.think(frame, func(out []byte) { _ = w.send(out) })
	}
	s.mu.Lock()
	delete(s.lines, w)
	s.mu.Unlock()
	w.close()
}

// serve is the server over HTTP.
func (s *fakeServer) serve(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		s.post(w, r)
	case http.MethodGet:
		s.get(w, r)
	case http.MethodDelete:
		w.WriteHeader(http.StatusOK)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (s *fakeServer) post(w http.ResponseWriter, r *http.Request) {
	frame, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e := open(frame)
	s.mu.Lock()
	s.heads = append(s.heads, fmt.Sprint(r.URL, r.Header))
	rude := s.rude
	s.mu.Unlock()
	if rude != nil && rude(w, &e) {
		return
	}
	if !e.isRequest() {
		s.think(frame, s.tell)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if e.Method == "initialize" {
		w.Header().Set("Mcp-Session-Id", fmt.Sprintf("session-%p", r))
	}
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	var mu sync.Mutex
	done := make(chan struct{})
	finished := false
	say := func(out []byte) {
		mu.Lock()
		defer mu.Unlock()
		if finished || r.Context().Err() != nil {
			return
		}
		writeEvent(w, out)
		_ = rc.Flush()
		if a := open(out); a.isResponse() && bytes.Equal(a.ID, e.ID) {
			finished = true
			close(done)
		}
	}
	_ = rc.Flush()
	s.think(frame, say)
	select {
	case <-done:
	case <-r.Context().Done():
		mu.Lock()
		finished = true
		mu.Unlock()
	}
}

// writeEvent writes a frame that holds no line break as an event.
func writeEvent(w io.Writer, frame []byte) {
	_, _ = io.WriteString(w, "event: message\ndata: "+string(frame)+"\n\n")
}

func (s *fakeServer) get(w http.ResponseWriter, r *http.Request) {
	out := make(chan []byte, 1024)
	s.mu.Lock()
	s.gets[out] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.gets, out)
		s.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(w)
	_ = rc.Flush()
	for {
		select {
		case frame := <-out:
			writeEvent(w, frame)
			_ = rc.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// pipeMain is the program of a stdio server: it connects its standard streams
// with the test at the address.
func pipeMain(args []string) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return 2
	}
	c, err := new(net.Dialer).DialContext(context.Background(), "tcp", args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = c.Close() }()
	ended := make(chan struct{}, 2)
	go func() {
		_, _ = io.Copy(c, os.Stdin)
		ended <- struct{}{}
	}()
	go func() {
		_, _ = io.Copy(os.Stdout, c)
		ended <- struct{}{}
	}()
	<-ended
	return 0
}
