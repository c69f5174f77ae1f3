package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"
)

// wire is a client's connection to the relay, or the relay's to a server: whole
// frames go out, whole frames come back. Nothing in between reads them.
type wire interface {
	// send sends a frame. Over HTTP what answers it arrives on frames too.
	send(frame []byte) error
	frames() <-chan []byte
	close()
}

// envelope is what a test reads of a frame. Everything else it compares as bytes.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

func open(frame []byte) envelope {
	var e envelope
	_ = json.Unmarshal(frame, &e)
	// The relay may spell a string of an id in another way, which is the same id.
	if len(e.ID) > 0 && e.ID[0] == '"' {
		e.ID = quote(plain(string(e.ID)))
	}
	return e
}

func (e *envelope) isRequest() bool  { return e.Method != "" && len(e.ID) > 0 }
func (e *envelope) isResponse() bool { return e.Method == "" && len(e.ID) > 0 }

// lineWire is newline-delimited JSON.
type lineWire struct {
	out  io.WriteCloser
	in   chan []byte
	mu   sync.Mutex
	once sync.Once
}

const longestLine = 16 << 20

func newLineWire(in io.Reader, out io.WriteCloser) *lineWire {
	w := &lineWire{out: out, in: make(chan []byte, 4096)}
	go func() {
		defer close(w.in)
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, 64<<10), longestLine)
		for lines.Scan() {
			w.in <- bytes.Clone(lines.Bytes())
		}
	}()
	return w
}

func (w *lineWire) send(frame []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.out.Write(append(bytes.Clone(frame), '\n'))
	return err
}

func (w *lineWire) frames() <-chan []byte { return w.in }
func (w *lineWire) close()                { w.once.Do(func() { _ = w.out.Close() }) }

// httpWire is a client of the Streamable HTTP transport in whichever era its
// frames are of: a legacy one has a session and a GET stream, a modern one sends
// each request on its own.
type httpWire struct {
	url    string
	client *http.Client
	in     chan []byte
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	session string
	version string
	streams map[string]context.CancelFunc // by the id of the request
	status  map[int]int                   // how often each status came
	extra   http.Header                   // sent with every request
	heads   []string                      // status and headers of every response
}

func newHTTPWire(url string) *httpWire {
	ctx, cancel := context.WithCancel(context.Background())
	return &httpWire{
		url: url, in: make(chan []byte, 4096), ctx: ctx, cancel: cancel, streams: map[string]context.CancelFunc{}, status: map[int]int{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

const versionKey = "io.modelcontextprotocol/protocolVersion"

// versionOf returns the revision that a modern frame names; empty: legacy.
func versionOf(params []byte) string {
	var p struct {
		Meta map[string]json.RawMessage `json:"_meta"`
	}
	var version string
	if json.Unmarshal(params, &p) == nil {
		_ = json.Unmarshal(p.Meta[versionKey], &version)
	}
	return version
}

// send posts the frame in the background, except for the legacy handshake, which
// the next frame needs the session of.
func (w *httpWire) send(frame []byte) error {
	e := open(frame)
	frame = bytes.Clone(frame)
	if e.Method == "initialize" {
		return w.post(frame, &e)
	}
	if !e.isRequest() { // in order with what follows
		return w.post(frame, &e)
	}
	w.wg.Go(func() {
		if err := w.post(frame, &e); err != nil && !errors.Is(err, context.Canceled) {
			w.deliver([]byte(`{"broken":` + string(quote(err.Error())) + `}`))
		}
	})
	return nil
}

func quote(text string) []byte {
	out, _ := json.Marshal(text)
	return out
}

// headerValue is a value as the modern transport writes it into a header.
func headerValue(value string) string {
	plain := value != "" && utf8.ValidString(value) && strings.TrimSpace(value) == value && !strings.HasPrefix(value, "=?base64?")
	for _, r := range value {
		plain = plain && r >= 0x20 && r < 0x7f
	}
	if plain {
		return value
	}
	return "=?base64?" + base64.StdEncoding.EncodeToString([]byte(value)) + "?="
}

func (w *httpWire) post(frame []byte, e *envelope) error {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(frame))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	w.mu.Lock()
	if version := versionOf(e.Params); version != "" {
		req.Header.Set("Mcp-Protocol-Version", version)
		req.Header.Set("Mcp-Method", e.Method)
		var p struct{ Name, URI, TaskID *string }
		_ = json.Unmarshal(e.Params, &p)
		switch e.Method {
		case "tools/call", "prompts/get":
			if p.Name != nil {
				req.Header.Set("Mcp-Name", headerValue(*p.Name))
			}
		case "resources/read":
			if p.URI != nil {
				req.Header.Set("Mcp-Name", headerValue(*p.URI))
			}
		}
	} else if w.session != "" {
		req.Header.Set("Mcp-Session-Id", w.session)
		req.Header.Set("Mcp-Protocol-Version", w.version)
	}
	if e.isRequest() {
		w.streams[string(e.ID)] = cancel
	}
	maps.Copy(req.Header, w.extra)
	w.mu.Unlock()
	res, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	w.mu.Lock()
	w.status[res.StatusCode]++
	w.heads = append(w.heads, fmt.Sprint(res.Status, res.Header))
	w.mu.Unlock()
	if e.Method == "initialize" {
		w.begin(res)
	}
	return w.read(res)
}

// begin takes the session of a legacy handshake and opens its GET stream.
func (w *httpWire) begin(res *http.Response) {
	id := res.Header.Get("Mcp-Session-Id")
	if id == "" {
		return
	}
	w.mu.Lock()
	w.session, w.version = id, lastLegacy
	w.mu.Unlock()
	opened := make(chan struct{})
	w.wg.Go(func() {
		req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.url, http.NoBody)
		if err != nil {
			close(opened)
			return
		}
		req.Header.Set("Accept", "text/event-stream")
		req.Header.Set("Mcp-Session-Id", id)
		req.Header.Set("Mcp-Protocol-Version", lastLegacy)
		res, err := w.client.Do(req)
		close(opened)
		if err != nil {
			return
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode == http.StatusOK {
			_ = w.read(res)
		}
	})
	<-opened
}

// read delivers every frame of a response.
func (w *httpWire) read(res *http.Response) error {
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return err
		}
		if len(body) > 0 {
			if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
				return fmt.Errorf("status %d with %.200q", res.StatusCode, body)
			}
			w.deliver(body)
		}
		return nil
	}
	return events(res.Body, w.deliver)
}

// events reads the data of each event of a stream.
func events(from io.Reader, yield func(data []byte)) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 64<<10), longestLine)
	var data []byte
	some := false
	for lines.Scan() {
		line := lines.Bytes()
		switch {
		case len(line) == 0:
			if some && len(data) > 0 {
				yield(data)
			}
			data, some = nil, false
		case bytes.HasPrefix(line, []byte("data:")):
			if some {
				data = append(data, '\n')
			}
			data = append(data, bytes.TrimPrefix(line[len("data:"):], []byte(" "))...)
			some = true
		}
	}
	if errors.Is(lines.Err(), context.Canceled) {
		return nil
	}
	return lines.Err()
}

func (w *httpWire) deliver(frame []byte) {
	select {
	case w.in <- bytes.Clone(frame):
	case <-w.ctx.Done():
	}
}

func (w *httpWire) frames() <-chan []byte { return w.in }

// hangUp closes the stream of a request, which cancels it in the modern era.
func (w *httpWire) hangUp(id string) {
	w.mu.Lock()
	cancel := w.streams[id]
	w.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// leave ends a legacy session as a client does that goes.
func (w *httpWire) leave() {
	w.mu.Lock()
	id := w.session
	w.mu.Unlock()
	if id == "" {
		return
	}
	req, err := http.NewRequestWithContext(w.ctx, http.MethodDelete, w.url, http.NoBody)
	if err != nil {
		return
	}
	req.Header.Set("Mcp-Session-Id", id)
	if res, err := w.client.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

func (w *httpWire) close() {
	w.cancel()
	w.wg.Wait()
	w.client.CloseIdleConnections()
}
